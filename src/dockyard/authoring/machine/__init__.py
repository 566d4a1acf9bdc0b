"""The runner with a machine: the handler lives under the real agent, and what it does is observed from inside.

``observed`` makes a copy of the package whose commands run ``wrapper``; ``life`` takes it through every step on a
``Machine`` (``arm`` is the real one); ``inside`` runs in the machine and looks for traces; ``runner`` joins them.
"""
