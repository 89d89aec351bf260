"""Where pictures come from: folders, LFW, drawn faces; and the pack they are decoded into once."""
