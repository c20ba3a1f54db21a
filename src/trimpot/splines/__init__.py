"""splines"""
