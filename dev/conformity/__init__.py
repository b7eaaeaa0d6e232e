"""What nobody outside knows of OVHcloud's SMS API, asked of OVHcloud itself."""
