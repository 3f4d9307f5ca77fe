"""The ReAct agent that answers from memory."""
