"""What a search stands on: data prepared and loaded, patch and plan fitted to them, the machine and the time."""
