//! The type expressions of all five notations, read by one grammar.
//!
//! The notations differ in details that never contradict each other: `[X]` and `X[]` are lists, `$X`, `$ref:X` and a bare
//! known name are schemas, `A|B` is a choice, `map<X>` and `map<string,X>` are maps, `{a,b?}` is an object written out,
//! `[A, B]` is a tuple. What a bare word means is left to the dialect.

use crate::{Field, Shape};

/// What a bare word stands for in a dialect; none when it is a mistake.
pub(crate) type Words<'w> = &'w dyn Fn(&str) -> Option<Shape>;

/// Reads a whole type expression.
pub(crate) fn parse(text: &str, words: Words) -> Result<Shape, String> {
    let mut reader = Reader { text, at: 0, words };
    let shape = reader.choice()?;
    reader.blank();
    match reader.rest() {
        "" => Ok(shape),
        rest => Err(format!("{rest:?} is left over in {text:?}")),
    }
}

/// The words that mean the same in every notation.
pub(crate) fn common(word: &str) -> Option<Shape> {
    Some(match word {
        "string" => Shape::text(),
        "integer" => Shape::Integer,
        "number" => Shape::Number,
        "boolean" => Shape::Bool,
        "any" | "json" => Shape::Any,
        "object" => Shape::Map(Box::new(Shape::Any)),
        "array" => Shape::Any.list(),
        "null" => Shape::Null,
        "true" => Shape::Exactly(true.into()),
        "false" => Shape::Exactly(false.into()),
        "binary" | "text/html" | "text/csv" => Shape::Media,
        _ => return None,
    })
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    words: Words<'t>,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn blank(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    /// Steps over a token if it comes next.
    fn take(&mut self, token: &str) -> bool {
        self.blank();
        let found = self.rest().starts_with(token);
        self.at += if found { token.len() } else { 0 };
        found
    }

    fn must(&mut self, token: &str) -> Result<(), String> {
        if self.take(token) { Ok(()) } else { Err(format!("{token:?} is missing before {:?}", self.rest())) }
    }

    fn word(&mut self) -> &'t str {
        self.blank();
        let rest = self.rest();
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '/' | '.');
        let word = &rest[..rest.find(|c: char| !is_part(c)).unwrap_or(rest.len())];
        self.at += word.len();
        word
    }

    fn choice(&mut self) -> Result<Shape, String> {
        let mut shape = self.term()?;
        while self.take("|") {
            shape = shape.or(self.term()?);
        }
        Ok(shape)
    }

    fn term(&mut self) -> Result<Shape, String> {
        let mut shape = self.atom()?;
        while self.take("[]") {
            shape = shape.list();
        }
        Ok(shape)
    }

    fn atom(&mut self) -> Result<Shape, String> {
        if self.take("[") {
            return self.list();
        }
        if self.take("(") {
            let shape = self.choice()?;
            self.must(")")?;
            return Ok(shape);
        }
        if self.take("{") {
            return self.object();
        }
        let is_schema = self.take("$ref:") || self.take("$");
        match self.word() {
            "" => Err(format!("no type before {:?}", self.rest())),
            name if is_schema => Ok(Shape::Ref(name.to_owned())),
            "map" if self.take("<") => {
                let mut value = self.choice()?;
                if self.take(",") {
                    value = self.choice()?;
                }
                self.must(">")?;
                Ok(Shape::Map(Box::new(value)))
            }
            "const" => self.atom(),
            "integer" if self.take("epoch_ms") => Ok(Shape::Integer),
            word => self.named(word),
        }
    }

    fn named(&self, word: &str) -> Result<Shape, String> {
        let is_range = word.split_once("..").is_some_and(|(low, high)| {
            !low.is_empty() && !high.is_empty() && (low.to_owned() + high).bytes().all(|b| b.is_ascii_digit())
        });
        if is_range {
            return Ok(Shape::Integer);
        }
        (self.words)(word).or_else(|| common(word)).ok_or_else(|| format!("{word:?} is no type"))
    }

    /// After `[`: an empty list, a list or a tuple.
    fn list(&mut self) -> Result<Shape, String> {
        if self.take("]") {
            return Ok(Shape::OneOf(Vec::new()).list());
        }
        let mut places = vec![self.choice()?];
        while self.take(",") {
            places.push(self.choice()?);
        }
        self.must("]")?;
        match places.pop() {
            Some(only) if places.is_empty() => Ok(only.list()),
            Some(last) => {
                places.push(last);
                Ok(Shape::Tuple(places))
            }
            None => Err("a list of nothing".into()),
        }
    }

    /// After `{`: the keys of an object written out. With `;` in it, the keys between two of them share the last one's type.
    fn object(&mut self) -> Result<Shape, String> {
        let mut fields: Vec<Field> = Vec::new();
        let mut closed = true;
        let mut group = 0;
        let mut ended_group = false;
        loop {
            if self.take("}") {
                break;
            }
            if self.take("...") {
                closed = false;
            } else {
                fields.push(self.field()?);
            }
            if self.take(";") {
                share(&mut fields[group..]);
                group = fields.len();
                ended_group = true;
            } else if !self.take(",") {
                self.must("}")?;
                break;
            }
        }
        if ended_group {
            share(&mut fields[group..]);
        }
        Ok(Shape::Object { fields, closed })
    }

    fn field(&mut self) -> Result<Field, String> {
        let name = self.word();
        if name.is_empty() {
            return Err(format!("no key before {:?}", self.rest()));
        }
        let is_list = self.take("[]");
        let optional = self.take("?");
        let shape = if self.take(":") { self.choice()? } else { Shape::Any };
        let shape = if is_list { shape.list() } else { shape };
        Ok(Field { name: name.to_owned(), shape, required: !optional, nullable: false })
    }
}

/// Gives the type of the last key to those before it that have none.
fn share(fields: &mut [Field]) {
    let Some((last, before)) = fields.split_last_mut() else { return };
    for field in before.iter_mut().filter(|field| field.shape == Shape::Any) {
        field.shape = last.shape.clone();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Shape, String> {
        parse(text, &|word| (word == "Thing").then(|| Shape::Ref("Thing".into())))
    }

    #[track_caller]
    fn same(texts: &[&str], wanted: &Shape) {
        for text in texts {
            assert_eq!(read(text).as_ref(), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn lists_choices_and_maps_are_read_in_every_spelling() {
        let thing = Shape::Ref("Thing".into());
        same(&["Thing", "$Thing", "$ref:Thing", " ( Thing ) "], &thing);
        same(&["[$Thing]", "Thing[]", "[ $ref:Thing ]"], &thing.clone().list());
        same(&["map<Thing>", "map<string,$Thing>"], &Shape::Map(Box::new(thing.clone())));
        same(&["Thing|[Thing]", "$Thing | [$Thing]"], &thing.clone().or(thing.clone().list()));
        same(&["[integer epoch_ms, number]"], &Shape::Tuple(vec![Shape::Integer, Shape::Number]));
        same(&["(string|Thing)[]"], &Shape::text().or(thing).list());
        same(&["[]"], &Shape::OneOf(vec![]).list());
    }

    #[test]
    fn an_object_written_out_knows_its_keys() {
        let Ok(Shape::Object { fields, closed }) = read("{a,b?: string[], c[]?, d:{e}}") else { panic!("an object") };
        let summary: Vec<_> = fields.iter().map(|field| (field.name.as_str(), field.required)).collect();
        assert_eq!(summary, [("a", true), ("b", false), ("c", false), ("d", true)]);
        assert_eq!(fields[1].shape, Shape::text().list());
        assert_eq!(fields[2].shape, Shape::Any.list());
        assert!(closed);
    }

    #[test]
    fn keys_between_semicolons_share_a_type_and_others_do_not() {
        let Ok(Shape::Object { fields, .. }) = read("{a?,b: Thing; c,d: map<Thing>}") else { panic!("an object") };
        assert!(fields[..2].iter().all(|field| field.shape == Shape::Ref("Thing".into())));
        assert!(fields[2..].iter().all(|field| matches!(field.shape, Shape::Map(_))));
        let Ok(Shape::Object { fields, .. }) = read("{a,b: Thing}") else { panic!("an object") };
        assert_eq!(fields[0].shape, Shape::Any);
    }

    #[test]
    fn dots_leave_an_object_open() {
        assert!(matches!(read("{query: string, ...}"), Ok(Shape::Object { closed: false, .. })));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for text in ["", "Thong", "[Thing", "Thing)", "map<Thing", "{a", "Thing (when asked)", "{:Thing}"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
