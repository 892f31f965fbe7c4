"""This process and its children: the names of the commands, the interpreter's arguments, the standard streams."""
