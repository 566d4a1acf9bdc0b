"""What guest and host must agree on: the documents of the Azure VM extension protocol, as values and codecs."""
