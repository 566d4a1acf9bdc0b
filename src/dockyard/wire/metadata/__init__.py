"""Instance metadata, 169.254.169.254 port 80: who the machine is, for cloud-init and for whoever asks inside it."""
