//! Words of other programs as enums: those that mean something to a rule by name,
//! every other one as it was said, so that nothing unknown is lost or misread.

/// Declares an enum of words. In the case file it is the word itself.
macro_rules! words {
    (
        $(#[$doc:meta])*
        pub enum $name:ident { $($(#[$word_doc:meta])* $word:ident = $text:literal,)* }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, ::serde::Serialize, ::serde::Deserialize)]
        #[serde(from = "String", into = "String")]
        pub enum $name {
            $($(#[$word_doc])* $word,)*
            /// A word that this build does not know.
            Other(String),
        }

        impl $name {
            /// The word.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$word => $text,)*
                    Self::Other(word) => word,
                }
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                match word {
                    $($text => Self::$word,)*
                    other => Self::Other(other.to_owned()),
                }
            }
        }

        impl From<String> for $name {
            fn from(word: String) -> Self {
                Self::from(word.as_str())
            }
        }

        impl From<$name> for String {
            fn from(word: $name) -> Self {
                word.as_str().to_owned()
            }
        }

        impl ::std::ops::Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                self.as_str()
            }
        }
    };
}

pub(crate) use words;

#[cfg(test)]
mod tests {
    words! {
        /// Two words.
        pub enum Word {
            /// One.
            Up = "up",
            /// The other.
            Down = "down",
        }
    }

    #[test]
    fn a_word_nobody_knows_comes_back_as_it_was() {
        for (text, word) in
            [("up", Word::Up), ("down", Word::Down), ("?", Word::Other("?".to_owned()))]
        {
            let json = format!("{text:?}");
            assert_eq!(serde_json::from_str::<Word>(&json).expect("a word"), word);
            assert_eq!(serde_json::to_string(&word).expect("JSON"), json);
        }
    }
}
