"""What people see: tables that fit the terminal, labelled lines, states and times in words."""
