"""What ``dev/matrix`` has Odoo do: steps in a database, each run by Odoo's shell."""
