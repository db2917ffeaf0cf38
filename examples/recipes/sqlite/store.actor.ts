import { DatabaseSync } from "node:sqlite";
import { defineActor, ReplyError } from "@mini-otp/worker-host";

/** The only writer of the file: one message at a time, so no lock is ever waited for, and main never blocks. */
export default defineActor({
  init({ file }: { file: string }) {
    const db = new DatabaseSync(file);
    // A write that has been answered is on the disk: whatever kills the thread or the process, it stays.
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    db.exec(
      "CREATE TABLE IF NOT EXISTS accounts (name TEXT PRIMARY KEY, balance INTEGER NOT NULL CHECK (balance >= 0))",
    );
    return {
      db,
      deposit: db.prepare(
        "INSERT INTO accounts VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET balance = balance + excluded.balance",
      ),
      withdraw: db.prepare("UPDATE accounts SET balance = balance - ? WHERE name = ? AND balance >= ?"),
      total: db.prepare("SELECT coalesce(sum(balance), 0) AS total FROM accounts"),
    };
  },
  handlers: {
    deposit({ state }, name: string, amount: number) {
      state.deposit.run(name, amount);
    },
    transfer({ state }, from: string, to: string, amount: number) {
      state.db.exec("BEGIN IMMEDIATE");
      try {
        const { changes } = state.withdraw.run(amount, from, amount);
        if (Number(changes) === 0) throw new ReplyError(`${from} has less than ${amount}`, { code: "NOT_ENOUGH" });
        state.deposit.run(to, amount);
        state.db.exec("COMMIT");
      } catch (error) {
        state.db.exec("ROLLBACK");
        throw error;
      }
    },
    total: ({ state }) => Number(state.total.get()?.total),
  },
  terminate({ state }) {
    state.db.close();
  },
});
