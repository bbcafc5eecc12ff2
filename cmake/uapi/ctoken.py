# SPDX-License-Identifier: GPL-2.0-only
"""A tokenizer for C that loses nothing: joining the tokens gives the text back.

The preprocessor is not run.  A directive is recognised by its `#` at the start
of a logical line; the tokens up to the end of that line carry `directive`.
"""

import re

# Kinds of token.
IDENT = "ident"
NUMBER = "number"
STRING = "string"
PUNCT = "punct"
SPACE = "space"        # blanks, comments and line continuations
NEWLINE = "newline"    # the end of a logical line

_PATTERN = re.compile(
    r"""
      (?P<space>(?:[ \t\f\v\r]|\\\r?\n|/\*.*?\*/|//(?:\\\n|[^\n])*)+)
    | (?P<newline>\n)
    | (?P<string>(?:u8|[uUL])?"(?:\\.|[^"\\\n])*"|[uUL]?'(?:\\.|[^'\\\n])*')
    | (?P<number>\.?[0-9](?:[eEpP][+-]|[0-9A-Za-z_.])*)
    | (?P<ident>[A-Za-z_$][A-Za-z0-9_$]*)
    | (?P<punct>%:%:|\.\.\.|<<=|>>=|\#\#|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|.)
    """,
    re.VERBOSE | re.DOTALL,
)


class Token:
    """One token.  `role` is what the parser found out about an identifier."""

    __slots__ = ("kind", "text", "role")

    def __init__(self, kind, text):
        self.kind = kind
        self.text = text
        self.role = None

    def __repr__(self):
        return f"{self.kind}:{self.text!r}"


def tokenize(text):
    """All tokens of `text`, in order.

    The text between < and > of an #include is not C tokens (a // may stand in
    it), but header names of the kernel hold nothing that would break here.
    """
    return [Token(match.lastgroup, match.group()) for match in _PATTERN.finditer(text)]


def lines(tokens):
    """Splits into (is_directive, tokens) pieces: directives are single logical
    lines, everything between two directives is one piece.
    """
    piece = []
    line = []
    for token in tokens:
        line.append(token)
        if token.kind != NEWLINE:
            continue
        if _is_directive(line):
            if piece:
                yield False, piece
            yield True, line
            piece = []
        else:
            piece.extend(line)
        line = []
    if line and _is_directive(line):
        if piece:
            yield False, piece
        yield True, line
    elif piece or line:
        yield False, piece + line


def _is_directive(line):
    for token in line:
        if token.kind != SPACE:
            return token.text == "#"
    return False


def significant(tokens):
    """Without blanks, comments and newlines."""
    return [token for token in tokens if token.kind not in (SPACE, NEWLINE)]
