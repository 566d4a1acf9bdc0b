"""VM images and extension packages: what machines start from, and what is installed into them."""
