"""The Ansible category."""
