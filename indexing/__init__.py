"""The search room: fields, analysis, queries and the local index. It imports neither other room."""
