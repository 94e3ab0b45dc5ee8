//! The stores of a browser profile: what each is called, and what clears it. Words and places; knows no format.

use serde::Deserialize;

use crate::atoms::{Locator, Place};

/// All stores, in the order of the file.
#[derive(Clone, Debug, Default)]
pub struct Stores(Vec<Store>);

/// One store.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Store {
    /// What people call it.
    pub title: Box<str>,
    /// Readers that read it.
    readers: Vec<Box<str>>,
    /// Tables, of a database that holds several stores; any when there is none.
    #[serde(default)]
    tables: Vec<Box<str>>,
    /// Names of which one stands in its path, as a folder or as the file; any path when there is none.
    #[serde(default)]
    path: Vec<Box<str>>,
    /// Browsers that write a file of this form and have another dialog.
    #[serde(default)]
    except: Vec<Box<str>>,
    /// The box of the browser's own dialog that clears it; `None` where no box does.
    pub cleared_by: Option<Box<str>>,
    /// What stays all the same.
    pub leaves: Option<Box<str>>,
    /// Whether that was measured on a real profile, not read off the dialog.
    #[serde(default)]
    pub measured: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    store: Vec<Store>,
}

impl Stores {
    /// The table that is built in.
    pub fn builtin() -> Result<Self, toml::de::Error> {
        let file: File = toml::from_str(include_str!("../../../rules/stores.toml"))?;
        Ok(Self(file.store))
    }

    /// The store that a place lies in.
    pub fn of(&self, place: &Place) -> Option<&Store> {
        let source = &place.source;
        let path = source.members.last().unwrap_or(&source.path);
        let table = match &place.locator {
            Locator::Row { table, .. } => Some(&**table),
            _ => None,
        };
        self.0.iter().find(|store| {
            let reader = store
                .readers
                .iter()
                .any(|reader| **reader == *source.reader);
            let named = |names: &[Box<str>]| {
                let mut segments = path.split('/');
                segments.any(|segment| names.iter().any(|name| **name == *segment))
            };
            let browser = source.browser.as_deref();
            let other = store.except.iter().any(|it| Some(&**it) == browser);
            reader
                && !other
                && (store.tables.is_empty() || store.tables.iter().any(|it| Some(&**it) == table))
                && (store.path.is_empty() || named(&store.path))
        })
    }

    /// Every reader that an entry names.
    pub fn readers(&self) -> impl Iterator<Item = &str> {
        let readers = self.0.iter().flat_map(|store| &store.readers);
        readers.map(|reader| &**reader)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::atoms::{Source, View};

    fn title(reader: &'static str, path: &str, table: &'static str) -> Option<String> {
        let place = Place {
            source: Arc::new(Source {
                path: path.into(),
                reader: reader.into(),
                ..Source::default()
            }),
            locator: Locator::Row {
                table: table.into(),
                rowid: 1,
                column: "url".into(),
            },
            view: View::Live,
        };
        let stores = Stores::builtin().unwrap();
        stores.of(&place).map(|store| store.title.to_string())
    }

    #[test]
    fn a_place_lies_in_the_first_store_that_fits() {
        let history = "h/Default/History";
        assert_eq!(
            title("chromium-history", history, "urls").unwrap(),
            "History"
        );
        assert_eq!(
            title("chromium-history", history, "downloads_url_chains").unwrap(),
            "History, downloads"
        );
        assert_eq!(
            title("leveldb", "h/Default/Local Storage/leveldb/000003.log", "").unwrap(),
            "Local Storage"
        );
        assert_eq!(
            title(
                "firefox-stores",
                "p/storage/default/https+++a/ls/data.sqlite",
                "data"
            )
            .unwrap(),
            "web storage"
        );
        assert_eq!(title("chromium-stores", "h/Default/Other", "t"), None);
        assert_eq!(title("log", history, ""), None);
    }
}
