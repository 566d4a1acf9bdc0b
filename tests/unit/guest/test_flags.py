"""Options of users: how they are split, and that none takes over what the extension itself manages."""

from __future__ import annotations

import pytest

from dockyard_guest.errors import PermanentError
from dockyard_guest.handlers.docker.flags import check_flags, flags_of, split_option, without_remote_hosts


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ()),
        ("-D", ("-D",)),
        ("--label=a=b -D", ("--label=a=b", "-D")),
        ("  --label  a=b\t-D\n", ("--label", "a=b", "-D")),
        ('--label="two words" -D', ("--label=two words", "-D")),
        ("--label='say \"hi\"'", ('--label=say "hi"',)),
        (r"--label=path=C:\temp", (r"--label=path=C:\temp",)),
        ("--label=price=$5 --label=rate=5%", ("--label=price=$5", "--label=rate=5%")),
        ("--label=a=b#c", ("--label=a=b#c",)),
        ("--log-opt tag={{.Name}}", ("--log-opt", "tag={{.Name}}")),
    ],
)
def test_an_option_is_split_where_the_extension_of_2016_split_it(text: str, words: tuple[str, ...]) -> None:
    assert split_option(text, member="docker.options[0]") == words


@pytest.mark.parametrize("text", ["--label='a", '--label="a', "--label=a\x00b", "--label=\x1b[31m", "a\x7f"])
def test_an_option_that_cannot_be_split_is_named(text: str) -> None:
    with pytest.raises(PermanentError, match=r"docker\.options\[3\]") as caught:
        split_option(text, member="docker.options[3]")
    assert int(caught.value.exit_code) == 53


@pytest.mark.parametrize(
    "words",
    [
        ("-H", "tcp://0.0.0.0:2375"),
        ("-H=tcp://0.0.0.0:2375",),
        ("-Htcp://0.0.0.0:2375",),
        ("-DH", "tcp://0.0.0.0:2375"),
        ("-DHtcp://0.0.0.0:2375",),
        ("-DH=0.0.0.0:2375",),
        ("--host", "tcp://0.0.0.0:2375"),
        ("--host=tcp://0.0.0.0:2375",),
        ("--host=:2375",),
        ("--host=",),
        ("-H",),
        ("--label", "-H", "tcp://0.0.0.0:2375"),
    ],
)
def test_no_spelling_opens_the_network_without_certificates(words: tuple[str, ...]) -> None:
    with pytest.raises(PermanentError, match="without certificates"):
        check_flags(words, members=("docker.options[0]",) * len(words), with_certificates=False)


@pytest.mark.parametrize(
    "words",
    [
        ("--tlsverify",),
        ("--tlsverify=false",),
        ("--tls=false",),
        ("--tlscacert=/x",),
        ("--tlskey", "/x"),
        ("--config-file=/x",),
        ("--config-file", "/x"),
        ("--validate",),
        ("-v",),
        ("-Dh",),
    ],
)
@pytest.mark.parametrize("with_certificates", [True, False])
def test_what_the_extension_manages_is_not_for_options(words: tuple[str, ...], with_certificates: bool) -> None:
    with pytest.raises(PermanentError, match=r"docker\.options\[0\] has --"):
        check_flags(words, members=("docker.options[0]",) * len(words), with_certificates=with_certificates)


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("-D",),
        ("-H", "unix:///run/other.sock"),
        ("-H=fd://",),
        ("--label=tls=off",),
        ("-l", "debug"),
        ("-G=docker",),
        ("--data-root=/mnt/docker", "--log-level", "info"),
    ],
)
def test_other_options_are_the_users_own(words: tuple[str, ...]) -> None:
    check_flags(words, members=("docker.options[0]",) * len(words), with_certificates=False)


def test_a_remote_host_is_allowed_with_certificates() -> None:
    check_flags(("-H=tcp://10.0.0.4:2380",), members=("docker.options[0]",), with_certificates=True)


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (("-D",), ("-D",)),
        (("-H", "tcp://1:2", "-D"), ("-D",)),
        (("-D", "-Htcp://1:2"), ("-D",)),
        (("-DHtcp://1:2",), ("-D",)),
        (("-DH", "tcp://1:2", "--label=a"), ("-D", "--label=a")),
        (("--host=tcp://1:2", "-H", "unix:///x"), ("-H", "unix:///x")),
        (("--host", "tcp://1:2"), ()),
    ],
)
def test_remote_hosts_can_be_taken_out(words: tuple[str, ...], kept: tuple[str, ...]) -> None:
    assert without_remote_hosts(words) == kept


def test_flags_have_their_long_names_and_values() -> None:
    found = [(flag.name, flag.value) for flag in flags_of(("-l=info", "--label", "a=b", "value", "-Dp/x"))]
    assert found == [("log-level", "info"), ("label", "a=b"), ("debug", ""), ("pidfile", "/x")]
