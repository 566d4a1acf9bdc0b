"""The functions of the expression language that need nothing but their arguments, a file a family."""
