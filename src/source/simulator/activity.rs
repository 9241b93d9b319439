use super::random::RandomStream;

/// Who is next: draws instruments by their share of the market's activity, in O(1).
///
/// Activity falls with the place in the universe as 1 / (place + 3), the law of Zipf and Mandelbrot:
/// of 10,000 instruments the first gets 4 % of the events, the first hundred together 44 %. The alias
/// method (Walker 1977, built as Vose 1991) spends one draw and looks at one column, however
/// many instruments there are; a column takes 8 bytes.
#[derive(Clone, Debug)]
pub(super) struct Activity {
    columns: Vec<Column>,
}

/// One of as many equal columns as there are instruments. The lower part belongs to the
/// instrument whose place it is, the upper part to its alias.
#[derive(Clone, Copy, Debug)]
struct Column {
    /// The height of the lower part, in units of 2^−32.
    keep: u32,
    alias: u32,
}

/// The activity of the instrument at this place, in units that only their total gives a sense.
pub(super) fn weight(place: usize) -> f64 {
    1.0 / (place as f64 + HEAD)
}

/// The sum of the weights of so many instruments. O(count).
pub(super) fn total_weight(count: usize) -> f64 {
    (0..count).map(weight).sum()
}

/// Flattens the head of the distribution: with 0 the first alone would get a tenth of everything.
const HEAD: f64 = 3.0;

impl Activity {
    /// The table for so many instruments; O(count).
    pub(super) fn new(count: usize) -> Self {
        let total = total_weight(count);
        let mut heights: Vec<f64> = (0..count).map(|place| weight(place) * count as f64 / total).collect();
        let mut columns: Vec<Column> =
            (0..count as u32).map(|place| Column { keep: u32::MAX, alias: place }).collect();

        let (mut small, mut large): (Vec<usize>, Vec<usize>) =
            (0..count).partition(|place| heights[*place] < 1.0);
        while let (Some(poor), Some(&rich)) = (small.pop(), large.last()) {
            columns[poor] = Column { keep: (heights[poor] * TWO_TO_32) as u32, alias: rich as u32 };
            heights[rich] -= 1.0 - heights[poor];
            if heights[rich] < 1.0 {
                large.pop();
                small.push(rich);
            }
        }
        Self { columns }
    }

    /// The place of the next instrument to be active. The universe must not be empty.
    pub(super) fn draw(&self, random: &mut RandomStream) -> usize {
        let bits = random.next_u64();
        let place = (((bits >> 32) * self.columns.len() as u64) >> 32) as usize;
        let column = self.columns[place];
        if bits as u32 <= column.keep { place } else { column.alias as usize }
    }
}

const TWO_TO_32: f64 = (1u64 << 32) as f64;

#[cfg(test)]
mod tests {
    use super::super::random::Purpose;
    use super::*;

    fn shares(count: usize, drawn: u32) -> Vec<f64> {
        let activity = Activity::new(count);
        let mut random = RandomStream::new(1, Purpose::Arrivals);
        let mut seen = vec![0u32; count];
        for _ in 0..drawn {
            seen[activity.draw(&mut random)] += 1;
        }
        seen.into_iter().map(|count| f64::from(count) / f64::from(drawn)).collect()
    }

    #[test]
    fn activity_falls_with_the_place() {
        let shares = shares(50, 1_000_000);

        let total = total_weight(50);
        for (place, share) in shares.iter().enumerate() {
            let claimed = weight(place) / total;
            assert!((share / claimed - 1.0).abs() < 0.04, "place {place}: {share} for {claimed}");
        }
    }

    #[test]
    fn the_first_hundred_of_ten_thousand_get_a_good_part_of_everything() {
        let shares = shares(10_000, 1_000_000);

        let hundred: f64 = shares[..100].iter().sum();
        assert!((0.03..0.05).contains(&shares[0]), "{}", shares[0]);
        assert!((0.40..0.48).contains(&hundred), "{hundred}");
    }

    #[test]
    fn a_lone_instrument_gets_everything() {
        assert_eq!(shares(1, 100), [1.0]);
    }
}
