"""Every rule a violation can name: stable name, default severity, what it means and what to do about it.

The reference page and the answers of the mock are made from this table.  A name that ends in ``.*`` is a family, whose
members are named after the JSON Schema keyword that was broken.
"""

from __future__ import annotations

from dataclasses import dataclass

from mockserver.findings import Severity

E, W, I = Severity.ERROR, Severity.WARNING, Severity.INFO  # noqa: E741


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; ``status`` is what the mock answers to a request that breaks it, 0 where it serves all the same."""

    name: str
    severity: Severity
    title: str
    explanation: str
    status: int = 0


_TABLE = (
    Rule("path.unknown", E, "Unknown path", "The contract has no operation at this path.", 404),
    Rule("path.method", E, "Wrong method", "The path is known, the method is not; Allow lists those that are.", 405),
    Rule("path.*", E, "Path parameter", "A value in the path breaks the parameter's schema.", 400),
    Rule("query.*", E, "Query parameter", "A query parameter is missing or breaks its schema.", 400),
    Rule("header.*", W, "Request header", "A header is missing or breaks its schema; it is served."),
    Rule("cookie.*", E, "Cookie parameter", "A cookie is missing or breaks its schema.", 400),
    Rule("security.missing", E, "No credentials", "The operation needs credentials and none came.", 401),
    Rule("security.malformed", E, "Malformed credentials", "The credentials do not have the scheme's form.", 401),
    Rule("security.refused", E, "Wrong credentials", "The key is not the one that the server was told to accept.", 401),
    Rule("media.unsupported", E, "Wrong request media type", "The contract documents another Content-Type.", 415),
    Rule("media.undocumented", E, "Wrong response media type", "The answer's Content-Type is not the documented one."),
    Rule("media.charset", W, "Wrong charset", "JSON is UTF-8 (RFC 8259, 8.1); the Content-Type says otherwise."),
    Rule("limit.body", E, "Body too large", "The body is larger than the server accepts.", 413),
    Rule("json.empty", E, "Empty body", "A JSON text is expected and the body is empty.", 400),
    Rule("json.malformed", E, "Malformed JSON", "The body is not a JSON text.", 400),
    Rule("json.cut", E, "Cut JSON", "The JSON text ends before it is complete.", 400),
    Rule("json.trailing", E, "Bytes after the JSON text", "Something follows the JSON text.", 400),
    Rule("json.encoding", E, "Not UTF-8", "JSON between systems is UTF-8 (RFC 8259, 8.1).", 400),
    Rule("json.bom", E, "Byte order mark", "JSON must not begin with a byte order mark (RFC 8259, 8.1).", 400),
    Rule("json.duplicate-key", E, "Repeated key", "Which of the values counts is undefined (RFC 8259, 4).", 400),
    Rule("json.constant", E, "NaN or Infinity", "These are not JSON numbers (RFC 8259, 6).", 400),
    Rule("json.number", E, "Unreadable number", "A number is beyond what a JSON reader can hold.", 400),
    Rule("json.depth", E, "Nested too deeply", "The body nests deeper than is read.", 400),
    Rule("json.size", E, "Too many values", "The body has more values than are read.", 400),
    Rule("json.double-encoded", E, "JSON inside a JSON string", "The answer is a string that holds the JSON text."),
    Rule("body.*", E, "Body", "The body breaks a keyword of its schema.", 400),
    Rule("meaning.dimensions", E, "Wrong size in pixels", "A size is not WIDTHxHEIGHT or outside its limits.", 400),
    Rule("meaning.file", E, "Wrong file", "A part of a form is no file, or not of a documented media type.", 400),
    Rule("meaning.length", E, "Wrong number of items", "A list does not have as many items as the request asked for."),
    Rule("meaning.positions", W, "Wrong positions", "Items do not carry their place in the list."),
    Rule("meaning.sum", W, "Wrong sum", "A total is not the sum of its parts."),
    Rule("meaning.equals", W, "Not what was asked for", "A field differs from the request's."),
    Rule("meaning.time", W, "Wrong time", "A time is not in Unix seconds or not now."),
    Rule("meaning.unique", W, "Value used twice", "A value that names one answer came again."),
    Rule("meaning.stable", W, "Changing value", "Equal requests got different values where they should agree."),
    Rule("meaning.order", W, "Times out of order", "A later answer carries an earlier time."),
    Rule("meaning.image-base64", E, "Not base64", "A picture's text is not the plain base64 of a file."),
    Rule("meaning.image-undecodable", E, "Undecodable picture", "The bytes are no picture, or a damaged one."),
    Rule("meaning.image-format", E, "Wrong picture format", "The file has another format than was asked for."),
    Rule("meaning.image-size", E, "Wrong picture size", "The picture has other pixels than were asked for."),
    Rule(
        "meaning.image-background", E, "Wrong background", "The background is transparent or opaque against the wish."
    ),
    Rule("meaning.image-same", W, "The same picture twice", "Two pictures of one answer are equal in every pixel."),
    Rule("meaning.image-repeated", W, "The same picture for another text", "Different prompts got one picture."),
    Rule("meaning.image-url", E, "No address of a picture", "The text is not an absolute http or https address."),
    Rule("stream.malformed", E, "Malformed event stream", "The bytes are not a stream of server-sent events."),
    Rule("stream.cut", E, "Cut event stream", "The stream ends before its last event is complete."),
    Rule(
        "stream.event",
        E,
        "Undocumented event",
        "An event has no documented name, and its data fits no documented event.",
    ),
    Rule("stream.name", W, "Event without its name", "An event's data is a documented one, and its name is not sent."),
    Rule("stream.data", E, "Event without JSON", "The data of an event is not a JSON text."),
    Rule("stream.order", E, "Events out of order", "An event comes before one that the documentation puts first."),
    Rule("stream.count", E, "Wrong number of events", "An event comes more or less often than documented."),
    Rule(
        "stream.trailer",
        I,
        "Undocumented end of a stream",
        "A marker such as [DONE] ends the stream; SDKs pass it over.",
    ),
    Rule("form.malformed", E, "Malformed form", "The body is not what its multipart Content-Type says.", 400),
    Rule("wire.failure", E, "No answer", "The connection ended before an answer came."),
    Rule("wire.timeout", E, "No answer in time", "No complete answer came within the request time-out."),
    Rule("wire.cut", E, "Cut answer", "The transfer ended before the announced end of the message."),
    Rule("wire.coding", E, "Wrong content coding", "Content-Encoding and the bytes disagree, or it was not asked for."),
    Rule("status.redirect", E, "Redirect", "A redirect is not documented and is never followed."),
    Rule("status.undocumented", E, "Undocumented status", "The contract documents no answer with this status."),
    Rule("error.in-success", E, "Error under a success status", "The body is an error, the status says success."),
    Rule(
        "error.beside-result", W, "Error beside a result", "A success carries an error as well: which of them counts?"
    ),
    Rule("error.key-leaked", E, "Key in the answer", "The answer repeats the API key it was called with."),
    Rule("error.trace-leaked", E, "Stack trace in the answer", "The answer shows the inside of the server."),
    Rule("error.server-fault", E, "Server error for a client's mistake", "A refusal must be 4xx; clients retry 5xx."),
    Rule("error.status", W, "Unusual refusal status", "The refusal has another status than such APIs give."),
    Rule("error.allow", W, "405 without Allow", "A 405 names the allowed methods (RFC 9110, 15.5.6)."),
    Rule("error.param", I, "Error does not name the field", "The error's text names neither field nor value."),
    Rule(
        "contract.other", E, "Another contract", "The answers are those of another known contract, and not of this one."
    ),
    Rule("looser.*", E, "Accepts what the page forbids", "A request that breaks a documented rule was accepted."),
    Rule("stricter.*", E, "Refuses what the page allows", "A request that keeps every documented rule was refused."),
    Rule("client.paid-twice", W, "Paid twice", "The same paid request was sent again; each one is charged."),
    Rule(
        "client.retried-refusal", E, "Retries a refusal", "A 4xx about the request stays one however often it is sent."
    ),
    Rule("client.early-retry", E, "Retries too early", "Retry-After says how long to wait; the client did not."),
    Rule(
        "client.endless-retry", E, "Retries without end", "The client never gives up on a request that keeps failing."
    ),
    Rule("client.hung", E, "Hangs", "The client did not end within the time-out after the answer had gone wrong."),
    Rule("client.key-elsewhere", E, "Key sent elsewhere", "The key was sent to another host than it is for."),
    Rule("client.silent-failure", I, "Failure not told", "The request failed and the client ended as if it had not."),
    Rule("unstable.*", E, "Fails without a reason", "A request that was accepted before failed when it was repeated."),
)

RULES: dict[str, Rule] = {rule.name: rule for rule in _TABLE}


def rule_for(name: str) -> Rule:
    """The rule or the family of a violation's rule name; raises KeyError for a name nobody documented."""
    return RULES.get(name) or RULES[f"{name.split('.', 1)[0]}.*"]
