//! Which pages of a database a row stands in, by a walk over its trees, and what its rows hold. Everything that the
//! walk does not reach is residue. Reads each page once, whatever the pages say.

use std::collections::BTreeMap;
use std::io::{self, Seek as _, SeekFrom};

use super::super::page::{Kind, Layout, Page, columns, u32_at};
use super::super::rest::Bytes;
use super::super::snapshots::{read_page, values};
use super::super::wal::fill;

/// One state of a database: the main file, or with pages of a sidecar laid over it.
pub(super) struct State<'a> {
    pub(super) layout: Layout,
    /// Pages that may be read.
    pub(super) pages: u32,
    pub(super) main: &'a mut Bytes,
    /// Page number to its place in the sidecar.
    pub(super) overlay: Option<(BTreeMap<u32, u64>, Bytes)>,
}

/// What the pages of a state are for.
pub(super) struct Roles {
    reached: Vec<bool>,
    /// Overflow pages that are not full, and how many of their bytes are used.
    pub(super) tails: BTreeMap<u32, usize>,
    /// Pages of trees.
    trees: Vec<bool>,
}

impl Roles {
    /// Whether a row, or an index, stands in a page.
    pub(super) fn is_reached(&self, page: u32) -> bool {
        self.reached.get(page as usize).copied().unwrap_or_default()
    }

    /// Whether it is a page of a tree.
    pub(super) fn is_tree(&self, page: u32) -> bool {
        self.trees.get(page as usize).copied().unwrap_or_default()
    }

    /// Gives a page back that was taken in error.
    fn give_back(&mut self, page: u32) {
        if let Some(reached) = self.reached.get_mut(page as usize) {
            *reached = false;
        }
    }

    /// Takes a page; `false` when it was taken before, or is none.
    pub(super) fn take(&mut self, page: u32) -> bool {
        match self.reached.get_mut(page as usize) {
            Some(reached) if page != 0 => !std::mem::replace(reached, true),
            _ => false,
        }
    }
}

impl State<'_> {
    /// A page; zeros where there is none.
    pub(super) fn page(&mut self, number: u32) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; self.layout.page_size as usize];
        if let Some((pages, sidecar)) = &mut self.overlay
            && let Some(&offset) = pages.get(&number)
        {
            sidecar.seek(SeekFrom::Start(offset))?;
            fill(sidecar, &mut bytes)?;
        } else {
            read_page(self.main, number, &mut bytes)?;
        }
        Ok(bytes)
    }

    /// Walks over all trees, and shows each record: how many columns it has, when it is a row of a table, and its
    /// texts and blobs.
    pub(super) fn walk(
        &mut self,
        show: &mut dyn FnMut(Option<usize>, Vec<Vec<u8>>),
    ) -> io::Result<Roles> {
        let mut roles = Roles {
            reached: vec![false; self.pages as usize + 1],
            trees: vec![false; self.pages as usize + 1],
            tails: BTreeMap::new(),
        };
        // The list of the other trees begins in the first page (file format §2.6).
        let mut open = vec![(1, true)];
        roles.take(1);
        while let Some((number, is_list)) = open.pop() {
            let bytes = self.page(number)?;
            let Some(page) = Page::parse(&bytes, self.layout, number == 1) else {
                roles.give_back(number);
                continue;
            };
            if let Some(tree) = roles.trees.get_mut(number as usize) {
                *tree = true;
            }
            let children = page.children().into_iter();
            let children = children.filter(|child| roles.take(*child));
            open.extend(children.map(|child| (child, is_list)));
            for payload in page.cells().filter_map(|cell| cell.payload) {
                let local = bytes.get(payload.local.clone()).unwrap_or_default();
                let mut record = local.to_vec();
                let next = payload.overflow.unwrap_or_default();
                let used = self.follow(next, payload.total, &mut record, &mut roles)?;
                roles.tails.extend(used);
                let columns = columns(&record, payload.total).unwrap_or_default();
                if is_list && page.kind == Kind::TableLeaf {
                    let root = columns.get(3).and_then(|column| {
                        let bytes = record.get(column.at..column.at + column.len)?;
                        Some(
                            bytes
                                .iter()
                                .fold(0_u64, |root, byte| root << 8 | u64::from(*byte)),
                        )
                    });
                    let root = root.and_then(|root| u32::try_from(root).ok());
                    let root = root.filter(|root| roles.take(*root));
                    open.extend(root.map(|root| (root, false)));
                }
                let of_table = (page.kind == Kind::TableLeaf).then_some(columns.len());
                show(of_table, values(&record, payload.total, self.layout));
            }
        }
        Ok(roles)
    }

    /// Adds what overflow pages hold to a record, as long as nobody else has taken them. The last one that was not
    /// filled, and the bytes that are used of it.
    pub(super) fn follow(
        &mut self,
        mut next: u32,
        total: usize,
        record: &mut Vec<u8>,
        roles: &mut Roles,
    ) -> io::Result<Option<(u32, usize)>> {
        let content = self.layout.overflow_content();
        while next != 0 && record.len() < total && roles.take(next) {
            let page = self.page(next)?;
            let wanted = (total - record.len()).min(content);
            record.extend(page.get(4..4 + wanted).unwrap_or_default());
            if wanted < content {
                return Ok(Some((next, 4 + wanted)));
            }
            next = u32_at(&page, 0).unwrap_or_default();
        }
        Ok(None)
    }
}
