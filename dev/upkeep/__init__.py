"""Programs that keep the addon's files in shape, run where their packages are."""
