//! Ranges of AS numbers, and the expressions by which daemons that compare text find a number of one.

use std::{fmt, str::FromStr};

use meetme_base::Invalid;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// AS numbers from one to another, both included; those that nobody may have are numbers too. As text `64512-65534`, or the
/// number alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AsnRange {
    first: u32,
    last: u32,
}

impl AsnRange {
    /// The numbers that have no place in a path of the Internet: 0 (RFC 7607), AS_TRANS (RFC 6793), for documentation (RFC 5398),
    /// for private use (RFC 6996), the last ones of 16 and of 32 bits (RFC 7300), and those IANA keeps back beside them.
    pub const BOGONS: [Self; 4] = [
        Self { first: 0, last: 0 },
        Self { first: 23_456, last: 23_456 },
        Self { first: 64_496, last: 131_071 },
        Self { first: 4_200_000_000, last: u32::MAX },
    ];

    /// From `first` to `last`.
    ///
    /// # Errors
    /// When the last comes before the first.
    pub fn new(first: u32, last: u32) -> Result<Self, Invalid> {
        if first <= last { Ok(Self { first, last }) } else { Err(bad()) }
    }
    /// The lowest of them.
    pub const fn first(self) -> u32 {
        self.first
    }
    /// The highest of them.
    pub const fn last(self) -> u32 {
        self.last
    }
    /// Whether a number is one of them.
    pub const fn holds(self, number: u32) -> bool {
        self.first <= number && number <= self.last
    }

    /// What is left of these ranges without some numbers.
    pub fn without(ranges: &[Self], numbers: &[u32]) -> Vec<Self> {
        let mut out = ranges.to_vec();
        for number in numbers.iter().copied() {
            out = out
                .into_iter()
                .flat_map(|range| {
                    if !range.holds(number) {
                        return [Some(range), None];
                    }
                    let below = number.checked_sub(1).filter(|last| range.first <= *last);
                    let above = number.checked_add(1).filter(|first| *first <= range.last);
                    [
                        below.map(|last| Self { first: range.first, last }),
                        above.map(|first| Self { first, last: range.last }),
                    ]
                })
                .flatten()
                .collect();
        }
        out
    }

    /// Expressions of which a decimal number of the range, and no other, meets one from its first digit to its last. They have
    /// digits, classes of digits and repetitions of nothing: every dialect of regular expressions knows these.
    pub fn expressions(self) -> Vec<String> {
        let mut out = Vec::new();
        let mut low = u64::from(self.first);
        let last = u64::from(self.last);
        while low <= last {
            // The widest block that begins here and ends in time: the last digits go from all zeros to all nines.
            let mut size = 1;
            while low % (size * 10) == 0 && low + size * 10 - 1 <= last && low >= size * 10 {
                size *= 10;
            }
            // As many such blocks as differ in one digit only.
            let digit = low / size % 10;
            let more = ((last + 1 - low) / size - 1).min(9 - digit);
            let head = if low / size >= 10 { (low / size / 10).to_string() } else { String::new() };
            let class = if more == 0 { digit.to_string() } else { format!("[{digit}-{}]", digit + more) };
            out.push(format!("{head}{class}{}", "[0-9]".repeat(size.ilog10() as usize)));
            low += (more + 1) * size;
        }
        out
    }
}

fn bad() -> Invalid {
    Invalid::format("as_path", "AS numbers such as 64512-65534, lower first")
}

impl FromStr for AsnRange {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let number = |part: &str| {
            let is_number = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            is_number.then(|| part.parse().ok()).flatten().ok_or_else(bad)
        };
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        Self::new(number(first)?, number(last)?)
    }
}

impl fmt::Display for AsnRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last { write!(f, "{}", self.first) } else { write!(f, "{}-{}", self.first, self.last) }
    }
}

impl Serialize for AsnRange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AsnRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> AsnRange {
        text.parse().unwrap()
    }

    /// Whether a number's digits meet an expression of digits and classes.
    fn meets(expression: &str, number: u32) -> bool {
        let digits: Vec<u8> = number.to_string().into_bytes();
        let mut rest = expression;
        let mut at = 0;
        while !rest.is_empty() {
            let (low, high, after) = match rest.strip_prefix('[') {
                Some(class) => (class.as_bytes()[0], class.as_bytes()[2], &class[4..]),
                None => (rest.as_bytes()[0], rest.as_bytes()[0], &rest[1..]),
            };
            if !digits.get(at).is_some_and(|digit| (low..=high).contains(digit)) {
                return false;
            }
            (rest, at) = (after, at + 1);
        }
        at == digits.len()
    }

    #[test]
    fn ranges_read_back_what_they_write_and_nothing_else() {
        for good in ["0", "64512-65534", "4200000000-4294967295"] {
            assert_eq!(range(good).to_string(), good);
        }
        for bad in ["", "-", "1-", "2-1", "4294967296", "+1", "1-2-3", "a"] {
            assert!(bad.parse::<AsnRange>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn expressions_are_met_by_the_numbers_of_a_range_and_no_others() {
        assert_eq!(
            range("64496-65551").expressions().join("|"),
            "6449[6-9]|64[5-9][0-9][0-9]|65[0-4][0-9][0-9]|655[0-4][0-9]|6555[0-1]"
        );
        for text in
            ["0", "0-9", "0-10", "1-4294967295", "7-123", "64496-131071", "4200000000-4294967295", "99-101", "23456"]
        {
            let all = range(text).expressions();
            let edges = [
                0, 1, 5, 9, 10, 11, 99, 100, 101, 123, 124, 999, 1000, 23_456, 64_495, 64_496, 99_999, 100_000,
                131_071, 131_072,
            ];
            for number in edges.into_iter().chain([4_199_999_999, 4_200_000_000, 4_294_967_290, u32::MAX]) {
                let met = all.iter().filter(|one| meets(one, number)).count();
                assert_eq!(met, usize::from(range(text).holds(number)), "{number} of {text}: {all:?}");
            }
        }
    }

    #[test]
    fn numbers_are_taken_out_of_ranges() {
        let left = |text: &str, numbers: &[u32]| {
            let left = AsnRange::without(&[range(text)], numbers);
            left.iter().map(AsnRange::to_string).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(left("64496-65551", &[64_500, 64_501, 3]), "64496-64499 64502-65551");
        assert_eq!(left("0-1", &[0]), "1");
        assert_eq!(left("5", &[5]), "");
        assert_eq!(left("4294967290-4294967295", &[u32::MAX]), "4294967290-4294967294");
    }
}
