"""See who wears a face mask properly, improperly, or not at all.

The core (everything but the ``*_node`` and ``ros_*`` modules) takes BGR arrays and knows no ROS;
the nodes only translate between it and ROS messages.
"""

__version__ = "0.1.0"
