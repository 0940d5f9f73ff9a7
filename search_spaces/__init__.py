"""The search spaces that are shipped, one file each, exporting `SPACE`. `unet_family` holds all the others."""
