import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { AccountNotFound, grantOperator, listOperators, revokeOperator } from '../../scripts/operators/account-roles.ts'
import { askOne, ownerSql, signUp } from '../support/actors.ts'
import { breakGlass } from '../support/clinicians.ts'
import { makeProfile } from '../support/factories.ts'
import { testDatabase } from '../support/postgres.ts'

test('operators are made and dismissed by the owner of the database, and each time it is written down', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const [operator, patient] = [await signUp(db, 'Operator'), await signUp(db, 'Patient')]
  const childId = await makeProfile(db, patient)
  const email = `${operator.accountId.toUpperCase()}@Example.Test`
  const mayRead = () =>
    askOne(db, operator.actor, sql`select public.has_profile_access(${operator.accountId}, ${childId}) as value`)
  t.same(await listOperators(owner), [])

  t.equal(await grantOperator(owner, email), 'granted')
  t.equal(await grantOperator(owner, operator.accountId), 'held_already')
  t.match(await listOperators(owner), [{ accountId: operator.accountId, email: email.toLowerCase() }])
  await breakGlass(db, operator, childId)
  t.equal(await mayRead(), true)
  t.equal(await revokeOperator(owner, operator.accountId), 'revoked')
  t.equal(await mayRead(), false)
  t.equal(await revokeOperator(owner, email), 'not_held')
  t.same(await listOperators(owner), [])

  const log = await owner`
    select operation, record_id from audit_log where table_name = 'account_roles' order by changed_at`
  const recordId = `${operator.accountId}/operator`
  t.same(
    [...log],
    [
      { operation: 'INSERT', record_id: recordId },
      { operation: 'DELETE', record_id: recordId },
    ],
  )
})

test('an account that is not known, or not one alone, is not guessed at', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const [one, other] = [await signUp(db), await signUp(db)]
  for (const name of [randomUUID(), 'nobody@example.test', '%', one.profileId])
    await t.rejects(grantOperator(owner, name), AccountNotFound, name)
  await owner`update auth.users set email = 'shared@example.test' where id in (${one.accountId}, ${other.accountId})`
  await t.rejects(grantOperator(owner, 'Shared@example.test'), AccountNotFound)
  t.same(await listOperators(owner), [])
})
