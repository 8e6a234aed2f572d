//! Shell text on its way into a guest: what only its readers here need stays here.

/// A script with values before it, quoted so that any text arrives as it is.
pub(crate) fn with_variables(variables: &[(&str, &str)], script: &str) -> String {
    let mut text = String::with_capacity(script.len() + 256);
    for (name, value) in variables {
        let value = value.replace('\'', "'\\''");
        text.push_str(&format!("{name}='{value}'\nexport {name}\n"));
    }
    text.push_str(script);
    text
}

/// Takes out comment lines, empty lines and indentation. What stands inside of quotes
/// or here-documents goes as it is.
pub(crate) fn compact(script: &str) -> String {
    let mut small = String::with_capacity(script.len());
    let mut scanner = Scanner::default();
    for line in script.lines() {
        let code = scanner.in_code();
        let trimmed = line.trim_start();
        let shown = if code { trimmed } else { line };
        scanner.read(line);
        if code && (trimmed.is_empty() || trimmed.starts_with('#')) {
            continue;
        }
        small.push_str(shown);
        small.push('\n');
    }
    small
}

/// Where in a shell text a line begins.
#[derive(Debug, Default)]
struct Scanner {
    quote: Option<char>,
    /// The last line ended with a backslash.
    continued: bool,
    /// Words that end the here-documents under way, and whether tabs before them go.
    documents: Vec<(String, bool)>,
}

impl Scanner {
    /// Whether the next line is shell, from its first character on.
    fn in_code(&self) -> bool {
        self.quote.is_none() && self.documents.is_empty() && !self.continued
    }

    fn read(&mut self, line: &str) {
        if let Some((word, tabs)) = self.documents.first() {
            let line = if *tabs { line.trim_start_matches('\t') } else { line };
            if line == word {
                self.documents.remove(0);
            }
            return;
        }
        self.continued = false;
        let mut chars = line.char_indices().peekable();
        let mut before = None;
        let mut begun = Vec::new();
        while let Some((at, char)) = chars.next() {
            match (self.quote, char) {
                (Some('\''), '\'') | (Some('"'), '"') => self.quote = None,
                (Some('\''), _) => {}
                (_, '\\') => self.continued = chars.next().is_none(),
                (Some(_), _) => {}
                (None, '\'' | '"') => self.quote = Some(char),
                (None, '#') if before.is_none_or(ends_word) => break,
                (None, '<') if line[at..].starts_with("<<") && before != Some('<') => {
                    begun.extend(here_document(&line[at + 2..]));
                }
                (None, _) => {}
            }
            before = Some(char);
        }
        self.documents = begun;
    }
}

/// A `#` after one of these begins a comment.
fn ends_word(char: char) -> bool {
    char.is_whitespace() || ";&|()".contains(char)
}

/// The word of a here-document, from what follows its `<<`. A shift in arithmetic is
/// followed by a number or a dollar.
fn here_document(rest: &str) -> Option<(String, bool)> {
    let (rest, tabs) = rest.strip_prefix('-').map_or((rest, false), |rest| (rest, true));
    let rest = rest.trim_start();
    let word: String = match rest.chars().next()? {
        quote @ ('\'' | '"') => rest[1..].chars().take_while(|c| *c != quote).collect(),
        first if first.is_ascii_alphabetic() || first == '_' => {
            rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
        }
        _ => return None,
    };
    Some((word, tabs))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn run(script: &str) -> String {
        let output = Command::new("sh").arg("-c").arg(script).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn comments_and_indentation_do_not_travel() {
        let text = "# head\n\tif true; then # here\n\n\t\techo '#'\n\tfi\n";
        assert_eq!(compact(text), "if true; then # here\necho '#'\nfi\n");
    }

    #[test]
    fn quotes_and_here_documents_travel_as_they_are() {
        let script = "echo 'a\n\t# b'\necho \"c \\\" '\n # d\"\n\tcat <<-'END'\n\t\t# e\n\tEND\n\
                      cat <<X <<Y\n # f\nX\n\n # g\nY\n# it's no quote\n\techo ${#PATH} >/dev/null\n\
                      echo h#i \\\n  '# j'; echo $((1 << 2))\n  # k\n";
        let small = compact(script);
        assert_eq!(run(&small), run(script));
        assert!(!small.contains("no quote") && !small.contains("# k"), "{small}");
    }

    #[test]
    fn any_value_arrives_as_it_is() {
        let value = "it's $HOME `id` \\ \"\n\tend";
        assert_eq!(
            run(&with_variables(&[("VALUE", value)], "printf %s \"$VALUE\"")),
            value
        );
    }
}
