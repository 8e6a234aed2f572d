//! `GET /?comp=versions`: the first thing an agent asks.

/// The protocol version that every Linux agent speaks.
pub const VERSION: &str = "2012-11-30";

/// The answer to `GET /?comp=versions`.
pub fn versions() -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Versions>\
         <Preferred><Version>2015-04-05</Version></Preferred>\
         <Supported><Version>2015-04-05</Version><Version>{VERSION}</Version></Supported>\
         </Versions>"
    )
}
