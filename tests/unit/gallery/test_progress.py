"""A build's output becomes short lines whose percentage never falls."""

from __future__ import annotations

from dockyard.gallery.progress import Progress

OUTPUT = """\
I: running apt-get update...
Get:1 http://mirror.example/debian trixie InRelease [1 kB]
I: downloading packages with apt...
0 upgraded, 2 newly installed, 0 to remove and 0 not upgraded.
Get:1 http://mirror.example/debian trixie/main amd64 one amd64 1.0 [1 kB]
I: extracting archives...
I: installing essential packages...
Setting up one (1.0) ...
I: installing remaining packages inside the chroot...
0 upgraded, 2 newly installed, 0 to remove and 0 not upgraded.
Unpacking three (1.0) ...
Setting up three (1.0) ...
Unpacking four (1.0) ...
Setting up four (1.0) ...
dockyard-step: customizing
dockyard-step: writing the disk
"""


def follow(text: str) -> list[str]:
    progress = Progress()
    return [progress.text for line in text.splitlines() if progress.follow(line)]


def test_each_step_is_told_once_it_begins() -> None:
    steps = [text.partition(",")[0] for text in follow(OUTPUT)]
    assert list(dict.fromkeys(steps)) == [
        "reading the package lists",
        "downloading packages",
        "unpacking the base system",
        "installing the base system",
        "installing packages",
        "customizing",
        "writing the disk",
    ]


def test_the_percentage_rises_within_a_step_and_never_falls() -> None:
    percents = [int(text.split()[-2]) for text in follow(OUTPUT)]
    assert percents == sorted(percents)
    assert len([text for text in follow(OUTPUT) if text.startswith("installing packages")]) == 5


def test_more_than_was_announced_does_not_leave_the_step() -> None:
    progress = Progress()
    lines = ["I: installing remaining packages", "0 upgraded, 1 newly installed", *["Setting up x (1) ..."] * 9]
    for line in lines:
        progress.follow(line)
    assert progress.text == "installing packages, 88 %"


def test_other_output_is_no_news() -> None:
    progress = Progress()
    assert [progress.follow(line) for line in ("", "W: something", "(Reading database ... 5%")] == [False] * 3
