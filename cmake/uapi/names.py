# SPDX-License-Identifier: GPL-2.0-only
"""What names the kernel's user API defines."""

import ctoken
from cparse import ENUMERATOR, FILE, KEYWORDS, MACRO, MEMBER, PARAM, TAG, USE, Parser
from ctoken import IDENT, significant


class Macro:
    """One #define: `params` is None for an object-like macro."""

    def __init__(self, name, params, body):
        self.name = name
        self.params = params
        self.body = body        # significant tokens


class Header:
    """The tokens of one header, with roles once analysed."""

    def __init__(self, path, text):
        self.path = path        # relative to the include directory
        self.pieces = list(ctoken.lines(ctoken.tokenize(text)))
        self.macros = [parse_define(line) for is_directive, line in self.pieces
                       if is_directive and directive_name(line) == "define"]

    def tokens(self):
        for _, piece in self.pieces:
            yield from piece


def directive_name(line):
    """The word after the #, or "" """
    words = significant(line)
    return words[1].text if len(words) > 1 else ""


def parse_define(line):
    """The Macro of a #define line."""
    name_at = [i for i, token in enumerate(line) if token.kind == IDENT][1]
    name = line[name_at]
    params = None
    body_at = name_at + 1
    # Only a parenthesis without a blank before it opens a parameter list.
    if body_at < len(line) and line[body_at].text == "(":
        params = []
        while line[body_at].text != ")":
            if line[body_at].kind == IDENT or line[body_at].text == "...":
                params.append(line[body_at])
            body_at += 1
        body_at += 1
    return Macro(name, params, significant(line[body_at:]))


def analyse(headers):
    """Sets the roles in all headers, and returns the Names they define."""
    attributes = _attribute_macros(headers)
    for header in headers:
        _set_roles(header, attributes)
    names = Names(headers)
    # `#define alias tag`, used as `struct alias`.
    for macro in (macro for header in headers for macro in header.macros):
        if macro.name.text in names.tags and len(macro.body) == 1:
            macro.body[0].role = TAG
    return names


def _attribute_macros(headers):
    """Macros that may stand between type and name: they expand to nothing or to
    an attribute.
    """
    found = set()
    for header in headers:
        for macro in header.macros:
            body = [token.text for token in macro.body]
            if not body or body[0] in ("__attribute__", "__inline__", "__extension__"):
                found.add(macro.name.text)
    found.add("__bitwise__")
    return found


def _set_roles(header, attributes):
    parser = Parser(attributes)
    for is_directive, piece in header.pieces:
        if not is_directive:
            parser.code(piece)
            continue
        name = directive_name(piece)
        parser.directive(name)
        if name == "define":
            _set_define_roles(parse_define(piece), attributes)
        elif name in ("if", "elif", "ifdef", "ifndef", "undef"):
            for token in significant(piece)[2:]:
                if token.kind == IDENT and token.text not in KEYWORDS:
                    token.role = USE


def _set_define_roles(macro, attributes):
    macro.name.role = MACRO
    params = {param.text for param in macro.params or ()}
    for param in macro.params or ():
        param.role = PARAM
    words = {token.text for token in macro.body}
    if ";" in words:
        # With neither of these it is a list of members for a structure.
        whole = words & {"{", "(", "extern", "static", "typedef"}
        Parser(attributes, "file" if whole else "struct").code(macro.body)
    else:
        _set_expression_roles(macro.body)
    for token in macro.body:
        if token.text in params:
            token.role = PARAM


def _set_expression_roles(tokens):
    before = ""
    for index, token in enumerate(tokens):
        if token.kind == IDENT and token.text not in KEYWORDS:
            if before in ("struct", "union", "enum"):
                token.role = TAG
            elif before in (".", "->"):
                token.role = MEMBER
            else:
                token.role = USE
        if token.text in ("offsetof", "__builtin_offsetof"):
            _set_offsetof_role(tokens, index)
        before = token.text


def _set_offsetof_role(tokens, index):
    depth = 0
    for position in range(index + 1, len(tokens)):
        text = tokens[position].text
        if text == "(":
            depth += 1
        elif text == ")":
            depth -= 1
            if depth == 0:
                return
        elif text == "," and depth == 1:
            tokens[position + 1].role = MEMBER


class Names:
    """The names that all headers together define at file scope."""

    def __init__(self, headers):
        self.macros = {}        # name -> list of Macro
        self.tags = set()
        self.ordinary = set()   # functions, typedefs, variables, enumerators
        self.members = set()    # members, parameters: what is not renamed
        for header in headers:
            for macro in header.macros:
                self.macros.setdefault(macro.name.text, []).append(macro)
            for token in header.tokens():
                if token.role == TAG:
                    self.tags.add(token.text)
                elif token.role in (FILE, ENUMERATOR):
                    self.ordinary.add(token.text)
                elif token.role in (MEMBER, PARAM):
                    self.members.add(token.text)

    def is_global(self, name):
        """Whether `name` is defined as a macro, function, type or constant."""
        return name in self.macros or name in self.ordinary
