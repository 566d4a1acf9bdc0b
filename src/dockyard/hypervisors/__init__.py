"""Ways to run machines: one room a hypervisor, each with the same file names, all keeping one contract.

The contract is ``dockyard.fabric.ports.HypervisorDriver``; ``dockyard.serve`` chooses a driver. The rooms never import
each other; what they share lies beside this file.
"""
