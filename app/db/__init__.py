"""Tables, sessions, migrations and paging of the database."""
