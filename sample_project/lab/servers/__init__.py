"""Real servers for a notebook, each started in one line and gone with the block, or with the kernel, however it ends.

They listen on 127.0.0.1 alone, on a free port, and ask for a password where they can: others may use this machine too.
"""
