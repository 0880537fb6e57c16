"""Tests of the room of hot keys."""
