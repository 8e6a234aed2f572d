//! The little of XML that the wire protocol needs: a tree to read, text to write.
//!
//! Names are compared without their namespace prefix, as Microsoft's agent does, and
//! a byte-order mark in front of the document is skipped.

use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};

use super::WireError;

/// One element with everything in it.
#[derive(Debug, Default)]
pub(super) struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    children: Vec<Element>,
    /// The text directly inside, entities resolved, CDATA included.
    text: String,
}

impl Element {
    /// Reads a whole document; `document` is its name for errors.
    pub(super) fn parse(
        document: &'static str,
        text: &str,
    ) -> Result<Element, WireError> {
        let bad = |reason: String| WireError::Xml { document, reason };
        let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
        // The innermost open element is last; the first is the document itself.
        let mut open = vec![Element::default()];
        loop {
            let event = reader.read_event().map_err(|e| bad(e.to_string()))?;
            match event {
                Event::Start(start) => open.push(begin(&start).map_err(bad)?),
                Event::Empty(start) => {
                    let element = begin(&start).map_err(bad)?;
                    innermost(&mut open).children.push(element);
                }
                Event::End(_) => {
                    // The reader has already matched the names.
                    if let Some(element) = open.pop() {
                        innermost(&mut open).children.push(element);
                    }
                }
                Event::Text(text) => {
                    innermost(&mut open).text.push_str(&text.xml10_content());
                }
                Event::CData(text) => {
                    innermost(&mut open).text.push_str(&text.xml10_content());
                }
                Event::GeneralRef(reference) => {
                    let reference = format!("&{};", reference.xml10_content());
                    let text = quick_xml::escape::unescape(&reference)
                        .map_err(|e| bad(e.to_string()))?;
                    innermost(&mut open).text.push_str(&text);
                }
                Event::Eof => break,
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {
                }
            }
        }
        if open.len() != 1 {
            return Err(bad("it ends before its last element is closed".into()));
        }
        innermost(&mut open)
            .children
            .pop()
            .ok_or_else(|| bad("it holds no element".into()))
    }

    /// The text inside, without the white space around it.
    pub(super) fn text(&self) -> &str {
        self.text.trim()
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    pub(super) fn children(&self, name: &str) -> impl Iterator<Item = &Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first element down a path of names.
    pub(super) fn find(&self, path: &[&str]) -> Option<&Element> {
        path.iter().try_fold(self, |element, name| element.children(name).next())
    }

    /// The text at the end of a path of names, if it is not empty.
    pub(super) fn text_at(&self, path: &[&str]) -> Option<&str> {
        self.find(path).map(Element::text).filter(|text| !text.is_empty())
    }
}

fn innermost(open: &mut Vec<Element>) -> &mut Element {
    if open.is_empty() {
        open.push(Element::default());
    }
    let last = open.len() - 1;
    &mut open[last]
}

fn begin(start: &BytesStart<'_>) -> Result<Element, String> {
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|e| e.to_string())?;
        let value = attribute
            .normalized_value(XmlVersion::Explicit1_0)
            .map_err(|e| e.to_string())?;
        let name = attribute.key.local_name().into_inner().to_owned();
        attributes.push((name, value.into_owned()));
    }
    let name = start.local_name().into_inner().to_owned();
    Ok(Element { name, attributes, ..Element::default() })
}

/// Text made safe between tags and between double quotes.
pub(super) fn escape(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_entities_cdata_and_prefixes() {
        let text = "\u{feff}<?xml version=\"1.0\"?><a:R x=\"1 &amp; 2\"><b>h&lt;i<![CDATA[<&]]></b><b/></a:R>";
        let root = Element::parse("test", text).expect("well-formed");
        assert_eq!(root.name, "R");
        assert_eq!(root.attribute("x"), Some("1 & 2"));
        assert_eq!(root.text_at(&["b"]), Some("h<i<&"));
        assert_eq!(root.children("b").count(), 2);
    }

    #[test]
    fn refuses_what_is_cut_off() {
        for text in ["", "<a>", "<a><b></a>", "plain"] {
            assert!(Element::parse("test", text).is_err(), "{text:?} was accepted");
        }
    }
}
