"""What the operating system offers: files, folders, caches, processes, threads."""
