"""An operator's commands. May import: delivery, storage, settings, errors, clock."""
