"""Shared by all tests: every kind is entered before tests are collected, since tables of rows make components."""

from battle.rooms import load_reporters, load_rooms

load_rooms()
load_reporters()
