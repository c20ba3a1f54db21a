"""neighbors"""
