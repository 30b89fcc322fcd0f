"""Examples of behaviours, to be copied and changed. `run_node` stands for init, spin and a clean shutdown."""
