"""Entries and chat messages that try to break out of the page, or are merely strange."""

CANARY = "window.canary()"
HOSTILE = [
    {
        "instruction": f"</script><script>{CANARY}</script>",
        "input": f"\"'><img src=x onerror={CANARY}>",
        "output": f"<svg onload={CANARY}></svg> &lt;b&gt; ${{{CANARY}}} `{CANARY}`",
    },
    {
        "instruction": "\u202eReverse\u202c and \u2066isolate\u2069",
        "input": "zero\u200bwidth\u200d\ufeff and \u00a0 and \u3164",
        "output": "bell \x07, escape \x1b[31m, delete \x7f, line \u2028 separator",
    },
    {
        "instruction": "Emoji: 👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽",
        "input": "日本語 العربية עברית हिन्दी",
        "output": "e\u0301\u0302\u0303 ﷽ 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 <|endoftext|> <|end|>",
    },
    {"instruction": "__proto__", "input": "constructor", "output": "toString"},
    {"instruction": "Long", "input": "", "output": "a long answer, " * 700},
]
MESSAGES = [  # to a chat
    f"<img src=x onerror={CANARY}>",
    f"<script>{CANARY}</script>",
    f"</textarea><script>{CANARY}</script>",
    f"</div></section><svg onload={CANARY}>",
    '"\'><iframe srcdoc="<script>parent.canary()</script>">',
    f"<a href=javascript:{CANARY}>click</a>",
    f"<details open ontoggle={CANARY}>",
    "<style>* { display: none }</style>",
    "<meta http-equiv=refresh content=0;url=https://example.org>",
    "<base href=https://example.org/><img src=//example.org/x.png>",
    f"${{{CANARY}}} {{{{{CANARY}}}}} `{CANARY}`",
    "&lt;b&gt; &amp; &#x3c;script&#x3e;",
    "\u202eReverse\u202c and \u2066isolate\u2069 and \u200bnothing",
    "bell \x07 escape \x1b[31m delete \x7f line \u2028 separator",
    "👩‍👩‍👧‍👦 🏳️‍🌈 日本語 العربية e\u0301\u0302\u0303 ﷽",
    "__proto__",
    "constructor",
    "data: [DONE]\n\ndata: {}",
    "W" * 600,
    '{"error": {"message": "x"}} <|endoftext|>',
]
