# lib/image
