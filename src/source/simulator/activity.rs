use super::random::RandomStream;

/// Samples instruments by their share of the market's activity, in O(1).
///
/// Activity falls with the rank in the universe as 1 / (rank + 3), the Zipf–Mandelbrot law: of 10,000
/// instruments the first has 4 % of all events, the first hundred together 44 %. The alias method (Walker
/// 1977, constructed as in Vose 1991) takes one random number and one table look-up, independent of the
/// number of instruments. A column takes 8 bytes.
#[derive(Clone, Debug)]
pub(super) struct ActivityTable {
    columns: Vec<Column>,
}

/// One of as many equal columns as there are instruments. Its lower part belongs to the instrument with the
/// column's index, its upper part to the alias.
#[derive(Clone, Copy, Debug)]
struct Column {
    /// The height of the lower part, in units of 2^−32.
    keep: u32,
    alias: u32,
}

/// The unnormalised activity of the instrument at this rank, from 0.
pub(super) fn weight(rank: usize) -> f64 {
    1.0 / (rank as f64 + HEAD)
}

/// The sum of the weights of the first `count` instruments. O(count).
pub(super) fn total_weight(count: usize) -> f64 {
    (0..count).map(weight).sum()
}

/// Flattens the head of the distribution: with 0 the first instrument alone would have a tenth of all events.
const HEAD: f64 = 3.0;

impl ActivityTable {
    /// The table for this number of instruments. O(count).
    pub(super) fn new(count: usize) -> Self {
        let total = total_weight(count);
        let mut heights: Vec<f64> = (0..count).map(|rank| weight(rank) * count as f64 / total).collect();
        let mut columns: Vec<Column> =
            (0..count as u32).map(|rank| Column { keep: u32::MAX, alias: rank }).collect();

        let (mut small, mut large): (Vec<usize>, Vec<usize>) =
            (0..count).partition(|rank| heights[*rank] < 1.0);
        while let (Some(low), Some(&high)) = (small.pop(), large.last()) {
            columns[low] = Column { keep: (heights[low] * TWO_TO_32) as u32, alias: high as u32 };
            heights[high] -= 1.0 - heights[low];
            if heights[high] < 1.0 {
                large.pop();
                small.push(high);
            }
        }
        Self { columns }
    }

    /// The rank of a random instrument. The table must not be empty.
    pub(super) fn sample(&self, random: &mut RandomStream) -> usize {
        let bits = random.next_u64();
        let index = (((bits >> 32) * self.columns.len() as u64) >> 32) as usize;
        let column = self.columns[index];
        if bits as u32 <= column.keep { index } else { column.alias as usize }
    }
}

const TWO_TO_32: f64 = (1u64 << 32) as f64;

#[cfg(test)]
mod tests {
    use super::super::random::Purpose;
    use super::*;

    fn shares(count: usize, samples: u32) -> Vec<f64> {
        let table = ActivityTable::new(count);
        let mut random = RandomStream::new(1, Purpose::Arrivals);
        let mut seen = vec![0u32; count];
        for _ in 0..samples {
            seen[table.sample(&mut random)] += 1;
        }
        seen.into_iter().map(|count| f64::from(count) / f64::from(samples)).collect()
    }

    #[test]
    fn activity_falls_with_the_rank() {
        let shares = shares(50, 1_000_000);

        let total = total_weight(50);
        for (rank, share) in shares.iter().enumerate() {
            let expected = weight(rank) / total;
            assert!((share / expected - 1.0).abs() < 0.04, "rank {rank}: {share} for {expected}");
        }
    }

    #[test]
    fn the_first_hundred_of_ten_thousand_have_two_fifths_of_all_events() {
        let shares = shares(10_000, 1_000_000);

        let hundred: f64 = shares[..100].iter().sum();
        assert!((0.03..0.05).contains(&shares[0]), "{}", shares[0]);
        assert!((0.40..0.48).contains(&hundred), "{hundred}");
    }

    #[test]
    fn a_single_instrument_has_all_events() {
        assert_eq!(shares(1, 100), [1.0]);
    }
}
