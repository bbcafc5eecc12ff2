# SPDX-License-Identifier: GPL-2.0-only
"""Finds out what each identifier of a header is: a tag, a name declared at file
scope, a member, a parameter, a local variable, or a use of something.

The headers are read before preprocessing, so that every branch of an #if is
seen.  The parser's state is saved at #if and restored at #else, as if each
branch alone stood there.
"""

from ctoken import IDENT, significant

TAG = "tag"            # after struct, union or enum
ENUMERATOR = "enumerator"
FILE = "file"          # function, typedef or variable at file scope
MEMBER = "member"      # declared in, or accessed through, a structure
PARAM = "param"        # of a function or a macro
LOCAL = "local"
MACRO = "macro"        # the name that a #define defines
USE = "use"            # anything else: a reference to a global name

KEYWORDS = frozenset("""
    asm auto break case char class const continue default do double else enum extern float for
    goto if inline int long namespace register restrict return short signed sizeof static struct
    switch template typedef typeof union unsigned void volatile while bool _Bool __int128
    __signed__ __signed __const __volatile__ __volatile __inline__ __inline __extension__
    __attribute__ __attribute __asm__ __asm __typeof__ __restrict __restrict__ __alignof__
    defined __VA_ARGS__ true false _Static_assert static_assert alignas _Alignas
""".split())
_BASE_TYPES = frozenset("""
    char short int long float double void signed unsigned bool _Bool __int128 __signed__ __signed
    typeof __typeof__
""".split())
_TAG_WORDS = ("struct", "union", "enum")


class Block:
    """Stands for a `{...}` that ended, inside the statement around it."""

    kind = "block"

    def __init__(self, scope):
        self.scope = scope
        self.text = "{}"


class _Scope:
    def __init__(self, kind, names=()):
        self.kind = kind            # file, struct, enum, func, init
        self.statement = []
        self.depth = 0              # of parentheses and brackets
        self.names = set(names)     # func: parameters and locals

    def copy(self):
        scope = _Scope(self.kind, self.names)
        scope.statement = list(self.statement)
        scope.depth = self.depth
        return scope


class Parser:
    """Sets `role` on the identifiers of the pieces given to code()."""

    def __init__(self, attributes, scope="file"):
        self.attributes = attributes    # macros that stand where an attribute may
        self.stack = [_Scope(scope)]
        self.saved = []

    def directive(self, name):
        """Keeps the state right across the branches of a conditional."""
        if name in ("if", "ifdef", "ifndef"):
            self.saved.append([scope.copy() for scope in self.stack])
        elif name in ("else", "elif") and self.saved:
            self.stack = [scope.copy() for scope in self.saved[-1]]
        elif name == "endif" and self.saved:
            self.saved.pop()

    def code(self, tokens):
        """Text between two directives."""
        for token in significant(tokens):
            self._token(token)

    def _token(self, token):
        scope = self.stack[-1]
        if token.kind == IDENT and token.text not in KEYWORDS and token.role is None:
            before = scope.statement[-1].text if scope.statement else ""
            if before in _TAG_WORDS:
                token.role = TAG
            elif before in (".", "->"):
                token.role = MEMBER
            elif scope.kind == "func" and token.text in scope.names:
                token.role = LOCAL
            else:
                token.role = USE
        text = token.text
        if text == "{":
            self.stack.append(_Scope(*self._kind_of_block(scope)))
        elif text == "}" and len(self.stack) > 1:
            self._close()
        elif text == ";" and scope.depth == 0:
            self._statement(scope)
            scope.statement = []
        elif text == "," and scope.kind == "enum" and scope.depth == 0:
            self._enumerator(scope)
        else:
            if text in "([":
                scope.depth += 1
            elif text in ")]":
                scope.depth -= 1
            scope.statement.append(token)

    def _kind_of_block(self, scope):
        words = [token.text for token in scope.statement]
        if scope.kind == "init" or (words and words[-1] == "="):
            return ("init",)
        if scope.kind == "func":
            return ("struct",) if _opens_structure(words) else ("func", scope.names)
        if words[:1] == ["extern"] and len(words) == 2:
            return ("file",)
        if "enum" in words[-3:] and ")" not in words:
            return ("enum",)
        if _opens_structure(words) or scope.kind == "struct":
            return ("struct",)
        if words and words[-1] == ")":
            return ("func", self._declaration(scope.statement, FILE))
        return ("func",)    # `do {` and `({` in the body of a macro

    def _close(self):
        inner = self.stack.pop()
        outer = self.stack[-1]
        if inner.kind == "enum" and inner.statement:
            self._enumerator(inner)
        elif inner.kind == "struct" and inner.statement:
            self._statement(inner)      # an invocation of a macro, without a semicolon
        words = [token.text for token in outer.statement]
        if inner.kind == "file" and words[:1] == ["extern"]:
            outer.statement = []
        elif inner.kind == "func":
            outer.statement = []
        else:
            outer.statement.append(Block(inner.kind))

    def _enumerator(self, scope):
        for token in scope.statement:
            if token.kind == IDENT:
                # In front of a parenthesis it is a macro that makes enumerators.
                following = scope.statement[1:2]
                if not (following and following[0].text == "("):
                    token.role = ENUMERATOR
                break
        scope.statement = []

    def _statement(self, scope):
        tokens = scope.statement
        if scope.kind == "struct":
            self._declaration(tokens, MEMBER)
        elif scope.kind == "file":
            self._declaration(tokens, FILE)
        elif scope.kind == "func" and _looks_like_declaration(tokens):
            scope.names |= self._declaration(tokens, LOCAL)

    def _declaration(self, tokens, role):
        """Marks what a declaration declares; returns the names of the parameters
        (of functions) or of the variables (of local declarations).
        """
        tokens = _without_attributes(tokens)
        while len(tokens) > 1 and tokens[0].kind == IDENT and tokens[1].text == "(" \
                and tokens[0].text not in KEYWORDS:
            end = _closing(tokens, 1) + 1
            if end >= len(tokens) or tokens[end].kind != IDENT:
                return self._macro_statement(tokens, role)
            tokens = tokens[end:]   # an invocation without a semicolon
        names = set()
        has_type = False
        for piece in _split(tokens, ","):
            name, params, has_type = self._declarator(piece, has_type)
            if name is None:
                continue
            name.role = role
            if role == LOCAL:
                names.add(name.text)
            for parameter in params:
                declared, inner, _ = self._declarator(_without_attributes(parameter), False)
                if declared is not None:
                    declared.role = PARAM
                    names.add(declared.text)
                for nested in inner:
                    parameter_name, _, _ = self._declarator(_without_attributes(nested), False)
                    if parameter_name is not None:
                        parameter_name.role = PARAM
        return names

    def _macro_statement(self, tokens, role):
        """A macro invocation where a declaration may stand."""
        arguments = list(_split(tokens[2:_closing(tokens, 1)], ","))
        if tokens[0].text == "__DECLARE_FLEX_ARRAY":
            arguments[1][0].role = MEMBER
        elif tokens[0].text == "__struct_group":
            if arguments[0]:
                arguments[0][0].role = TAG
            arguments[1][0].role = MEMBER
            members = [t for a in arguments[3:] for t in a]
            for member in _split(members, ";"):
                self._declaration(member, role)
        return set()

    def _declarator(self, tokens, has_type):
        """(name token or None, parameters, has_type) of one declarator; the
        specifiers stand before it when `has_type` is false.
        """
        index = 0
        count = len(tokens)
        while index < count:
            token = tokens[index]
            text = token.text
            if text in _TAG_WORDS:
                has_type = True
                index += 1
                if index < count and tokens[index].kind == IDENT:
                    index += 1
                continue
            if text in ("typeof", "__typeof__"):
                has_type = True
                index = _closing(tokens, index + 1) + 1
                continue
            if text in _BASE_TYPES or token.kind == "block":
                has_type = True
            elif token.kind == IDENT and text in KEYWORDS:
                pass
            elif token.kind == IDENT and text in self.attributes:
                if index + 1 < count and tokens[index + 1].text == "(":
                    index = _closing(tokens, index + 1)
            elif token.kind == IDENT and not has_type:
                has_type = True
            elif token.kind == IDENT:
                params = ()
                if index + 1 < count and tokens[index + 1].text == "(":
                    inside = tokens[index + 2:_closing(tokens, index + 1)]
                    params = tuple(_split(inside, ","))
                return token, params, has_type
            elif text == "(" and has_type:
                return self._parenthesised(tokens, index, has_type)
            elif text in ("=", ":", "["):
                break
            index += 1
        return None, (), has_type

    def _parenthesised(self, tokens, index, has_type):
        """`(*name)(parameters)` and `(*name[N])(parameters)`."""
        close = _closing(tokens, index)
        name = None
        for token in tokens[index + 1:close]:
            if token.text == "[":
                break
            if token.kind == IDENT and token.text not in KEYWORDS \
                    and token.text not in self.attributes:
                name = token
        params = ()
        if close + 1 < len(tokens) and tokens[close + 1].text == "(":
            params = tuple(_split(tokens[close + 2:_closing(tokens, close + 1)], ","))
        return name, params, has_type


def _opens_structure(words):
    """Whether the words before a { end in `struct`, `struct tag`, `struct tag __packed` …"""
    for index in range(len(words) - 1, -1, -1):
        if words[index] in ("struct", "union"):
            return ")" not in words[index:] or "__attribute__" in words[index:]
    return False


def _looks_like_declaration(tokens):
    words = [token.text for token in tokens]
    if len(words) < 2 or words[0] in ("return", "goto", "break", "continue", "if", "while", "for"):
        return False
    if words[0] in KEYWORDS:
        return words[0] not in ("sizeof", "else", "do", "case", "default", "switch")
    return tokens[0].kind == IDENT and (tokens[1].kind == IDENT or words[1] == "*")


def _closing(tokens, index):
    """The index of the parenthesis that closes the one at `index`."""
    depth = 0
    for position in range(index, len(tokens)):
        if tokens[position].text in "([":
            depth += 1
        elif tokens[position].text in ")]":
            depth -= 1
            if depth == 0:
                return position
    return len(tokens)


def _split(tokens, separator):
    """Splits at a separator outside of parentheses."""
    piece = []
    depth = 0
    for token in tokens:
        if token.text in ("(", "["):
            depth += 1
        elif token.text in (")", "]"):
            depth -= 1
        if token.text == separator and depth == 0:
            yield piece
            piece = []
        else:
            piece.append(token)
    if piece:
        yield piece


def _without_attributes(tokens):
    """Without __attribute__((...)), alignas(...) and asm(...)."""
    result = []
    index = 0
    while index < len(tokens):
        if tokens[index].text in ("__attribute__", "__attribute", "__asm__", "__asm", "asm",
                                  "_Alignas", "alignas"):
            index = _closing(tokens, index + 1) + 1
            continue
        result.append(tokens[index])
        index += 1
    return result
