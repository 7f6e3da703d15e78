"""The lab itself: a run that nothing happens to, and one that cannot begin."""
import lab


class Start(lab.Situation):
    squares = True

    def test_both_decks_train(self):
        self.ended(self.train("-i", "gpt.deck"), 0)
        self.assertEqual(self.steps(), [1, 2, 3, 4, 5, 6])
        self.ended(self.train("-i", "squares.deck", "-d", "other", ranks=2), 0)
        self.assertEqual(self.steps("other"), [1, 2, 3, 4, 5, 6])

    def test_a_missing_deck_is_named(self):
        self.ended(self.train("-i", "nowhere.deck"), 64, "nowhere.deck")

    def test_a_hang_is_told_from_an_end(self):
        self.assertIsNone(self.run_line("sleep 20", limit=0.2).code)


if __name__ == "__main__":
    lab.main()
