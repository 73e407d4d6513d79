"""A text in one language, with its placeholders filled in."""

import re
from collections.abc import Mapping

from ...contracts import Problem, ProblemsError

__all__ = ["fill", "fill_text", "localise"]

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


def localise(text: Mapping[str, str], locale: str) -> str:
    """Return the text in this locale, or in its language; refuse with `locale.missing` where neither is there."""
    found = text.get(locale) or text.get(locale.split("-", 1)[0])
    if found is None:
        raise ProblemsError(
            [
                Problem(
                    code="locale.missing",
                    sentence=f"A text is not available in the locale {locale}.",
                    next_step=f"Use one of: {', '.join(sorted(text))}, or add the locale to the document.",
                )
            ]
        )
    return found


def fill(template: str, values: Mapping[str, str]) -> str:
    """Put values into `{placeholders}`; an unknown placeholder is refused rather than shown to a patient."""

    def value(match: re.Match[str]) -> str:
        found = values.get(match.group(1))
        if found is None:
            raise ProblemsError(
                [
                    Problem(
                        code="text.placeholder",
                        sentence=f"A text has the placeholder {match.group(1)}, which has no value here.",
                        next_step=f"Use one of: {', '.join(sorted(values))}.",
                    )
                ]
            )
        return found

    return _PLACEHOLDER.sub(value, template)


def fill_text(text: Mapping[str, str], values: Mapping[str, str]) -> dict[str, str]:
    """Put values into the `{placeholders}` of every locale, as `fill` does."""
    return {locale: fill(sentence, values) for locale, sentence in text.items()}
