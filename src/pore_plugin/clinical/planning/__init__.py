"""Planning: exact dose arithmetic, where each figure comes from, and the plan."""
