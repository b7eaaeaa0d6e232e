"""What ``dev/matrix`` has Odoo do: steps in a database, each in a process of its own."""
