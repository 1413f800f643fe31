"""A repository of its own for a bot, made from this one; later versions of this one merge into it.

`parts` says which files a bot gets, `names` what it may be called, `documents` mends links,
`left_behind` cuts what is about this project,
`rendering` puts it together, `repository` commits it, `upgrade` takes a later version over.
Only the standard library is needed. docs/your-own-bot.md says how to use it.
"""
