"""The service's commands, a file for each noun. The command `inframind` loads them from a checkout or an image."""
