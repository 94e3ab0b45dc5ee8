//! Many items on a heap: as they are while they are few, packed once they are more, and in one private temporary file
//! once they are many. Knows nothing of what the items are.

mod blocks;

use std::io;

use blocks::{Blocks, InOrder, unreadable};

/// How an item is packed.
#[derive(Clone, Copy, Debug)]
pub struct Form<T> {
    /// Appends the item's bytes.
    pub pack: fn(&T, &mut Vec<u8>),
    /// The item of these bytes.
    pub unpack: fn(&[u8]) -> Option<T>,
}

impl<T> Form<T> {
    /// The item of bytes that were packed.
    pub fn item(&self, bytes: &[u8]) -> io::Result<T> {
        (self.unpack)(bytes).ok_or_else(unreadable)
    }
}

/// Items by number, in the order in which they came.
#[derive(Debug)]
pub struct Pile<T> {
    form: Form<T>,
    /// Items that are kept as they are.
    room: usize,
    place: Place<T>,
}

#[derive(Debug)]
enum Place<T> {
    Items(Vec<T>),
    Packed(Box<Blocks>),
}

/// Items for which there is room as soon as there is one.
const FEW: usize = 16;

impl<T: Clone> Pile<T> {
    /// An empty pile whose items are packed when there are more of them than `room`.
    pub fn new(form: Form<T>, room: usize) -> Self {
        Self {
            form,
            room,
            place: Place::Items(Vec::new()),
        }
    }

    /// An empty pile whose items are packed from the first on: a share of a larger one.
    pub fn packed(form: Form<T>) -> io::Result<Self> {
        Ok(Self {
            form,
            room: 0,
            place: Place::Packed(Box::new(Blocks::new()?)),
        })
    }

    /// How many items there are.
    pub fn len(&self) -> usize {
        match &self.place {
            Place::Items(items) => items.len(),
            Place::Packed(blocks) => blocks.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the items are packed.
    pub fn is_packed(&self) -> bool {
        matches!(self.place, Place::Packed(_))
    }

    /// Adds an item.
    pub fn push(&mut self, item: T) -> io::Result<()> {
        if let Place::Items(items) = &mut self.place
            && items.len() < self.room
        {
            if items.len() == items.capacity() {
                // They are large: twice as much room would be more than what is in it.
                items.reserve_exact(FEW.max(items.len() / 4));
            }
            items.push(item);
            return Ok(());
        }
        let pack = self.form.pack;
        self.blocks()?.push(&item, pack)
    }

    /// Adds all items of another pile behind its own.
    pub fn join(&mut self, other: Self) -> io::Result<()> {
        match other.place {
            Place::Items(items) => items.into_iter().try_for_each(|item| self.push(item)),
            Place::Packed(blocks) => self.blocks()?.join(*blocks),
        }
    }

    /// Puts another item in the place of one.
    pub fn replace(&mut self, number: usize, item: T) -> io::Result<()> {
        match &mut self.place {
            Place::Items(items) => {
                if let Some(slot) = items.get_mut(number) {
                    *slot = item;
                }
                Ok(())
            }
            Place::Packed(blocks) => blocks.replace(number, &item, self.form.pack),
        }
    }

    /// An item. Packed ones that came one after the other are read fastest in that order.
    pub fn get(&mut self, number: usize) -> io::Result<T> {
        match &mut self.place {
            Place::Items(items) => items.get(number).cloned().ok_or_else(unreadable),
            Place::Packed(blocks) => self.form.item(blocks.get(number)?),
        }
    }

    /// Each of these items, packed. Where several runs of items are merged that each came in this order, no byte is read
    /// twice.
    pub fn in_order<'a>(&'a self, order: &'a [u32]) -> io::Result<Texts<'a, T>> {
        let place = match &self.place {
            Place::Items(items) => Given::Items(items),
            Place::Packed(blocks) => Given::Packed(blocks.in_order(order)?),
        };
        Ok(Texts {
            pack: self.form.pack,
            order: order.iter(),
            place,
        })
    }

    /// How they are packed.
    pub fn form(&self) -> &Form<T> {
        &self.form
    }

    /// All items as they are, when none is packed; else the pile.
    pub fn into_items(self) -> Result<Vec<T>, Self> {
        match self.place {
            Place::Items(items) => Ok(items),
            Place::Packed(_) => Err(self),
        }
    }

    /// Its items packed, to which more can be added.
    fn blocks(&mut self) -> io::Result<&mut Blocks> {
        if let Place::Items(items) = &mut self.place {
            let mut blocks = Blocks::new()?;
            for item in std::mem::take(items) {
                blocks.push(&item, self.form.pack)?;
            }
            self.place = Place::Packed(Box::new(blocks));
        }
        match &mut self.place {
            Place::Packed(blocks) => Ok(blocks),
            Place::Items(_) => Err(unreadable()),
        }
    }
}

/// Packed items in an order.
#[derive(Debug)]
pub struct Texts<'a, T> {
    pack: fn(&T, &mut Vec<u8>),
    order: std::slice::Iter<'a, u32>,
    place: Given<'a, T>,
}

#[derive(Debug)]
enum Given<'a, T> {
    Items(&'a [T]),
    Packed(InOrder<'a>),
}

impl<T> Iterator for Texts<'_, T> {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        let number = *self.order.next()? as usize;
        Some(match &mut self.place {
            Given::Items(items) => items.get(number).ok_or_else(unreadable).map(|item| {
                let mut packed = Vec::new();
                (self.pack)(item, &mut packed);
                packed
            }),
            Given::Packed(items) => items.take(number),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: Form<String> = Form {
        pack: |item, out| out.extend_from_slice(item.as_bytes()),
        unpack: |bytes| String::from_utf8(bytes.to_vec()).ok(),
    };

    fn item(number: usize) -> String {
        format!("{number} ").repeat(number % 97)
    }

    /// A pile that few bytes bring into a file.
    fn in_file() -> Pile<String> {
        let blocks = Blocks::up_to(20_000).unwrap();
        Pile {
            form: FORM,
            room: 0,
            place: Place::Packed(Box::new(blocks)),
        }
    }

    /// The same items, in piles of all kinds.
    fn piles(count: usize) -> [Pile<String>; 7] {
        let filled = |mut pile: Pile<String>, numbers: std::ops::Range<usize>| {
            for number in numbers {
                pile.push(item(number)).unwrap();
            }
            pile
        };
        let joined = |mut pile: Pile<String>| {
            for start in (0..count).step_by(701) {
                let end = count.min(start + 701);
                let share = if start % 2 == 0 {
                    Pile::packed(FORM).unwrap()
                } else {
                    Pile::new(FORM, 300)
                };
                pile.join(filled(share, start..end)).unwrap();
            }
            pile
        };
        [
            filled(Pile::new(FORM, usize::MAX), 0..count),
            filled(Pile::new(FORM, 10), 0..count),
            filled(Pile::packed(FORM).unwrap(), 0..count),
            joined(Pile::new(FORM, 1_000)),
            joined(Pile::packed(FORM).unwrap()),
            filled(in_file(), 0..count),
            joined(in_file()),
        ]
    }

    #[test]
    fn items_are_the_same_in_memory_and_in_a_file_and_however_they_came_there() {
        for (at, mut pile) in piles(5_000).into_iter().enumerate() {
            assert_eq!(pile.is_packed(), at > 0);
            let is_in_file = matches!(&pile.place, Place::Packed(it) if it.is_in_file());
            assert_eq!(is_in_file, at > 4);
            for number in [0, 4_999, 11, 10, 9, 2_500, 4_998] {
                assert_eq!(pile.get(number).unwrap(), item(number));
            }
            assert!(pile.get(5_000).is_err());
            pile.replace(7, "seven".into()).unwrap();
            for number in 0..5_000 {
                let expected = if number == 7 {
                    "seven".into()
                } else {
                    item(number)
                };
                assert_eq!(pile.get(number).unwrap(), expected);
            }
            assert_eq!(pile.len(), 5_000);
            assert_eq!(pile.into_items().is_ok(), at == 0);
        }
    }

    #[test]
    fn an_item_may_be_larger_than_all_others_together() {
        let items = ["a".repeat(20 << 20), "b".into(), "c".repeat(17 << 20)];
        let mut pile = Pile::packed(FORM).unwrap();
        for item in &items {
            pile.push(item.clone()).unwrap();
        }
        let given = pile.in_order(&[2, 0, 1]).unwrap().map(Result::unwrap);
        let wanted = [&items[2], &items[0], &items[1]];
        assert!(given.eq(wanted.map(|it| it.as_bytes().to_vec())));
    }

    #[test]
    fn items_are_given_in_any_order_and_again() {
        // Some twice, some never, many far from the one before.
        let order: Vec<u32> = (0..5_000).map(|n| (n * 1_999) % 4_500).collect();
        for pile in piles(5_000) {
            for _ in 0..2 {
                let given: Vec<String> = pile
                    .in_order(&order)
                    .unwrap()
                    .map(|text| FORM.item(&text.unwrap()).unwrap())
                    .collect();
                let expected: Vec<String> = order.iter().map(|n| item(*n as usize)).collect();
                assert_eq!(given, expected);
            }
            assert!(pile.in_order(&[5_000]).unwrap().all(|text| text.is_err()));
        }
    }
}
