"""The engine: plans, executes and stores steps. It knows no flag, no component and no screen."""
