/**
 * What staff can ask for: the closed list of actions, what each is done to, and the form of a decision about it. Who may is not said here but in `policies/`; every operation asks.
 */
import type { Actor } from './actor';

/** What an action is done to. `Customer`: one, with all that is theirs. `Customers`: what is not about one. */
export type ResourceType = 'Self' | 'Customer' | 'Customers' | 'AccessLog' | 'Outbound';

/** One sentence each, for the matrix in docs/roles.md. */
export const ACTIONS = {
  ReadSelf: { resource: 'Self', does: 'sees who they are to us' },
  ListCustomers: { resource: 'Customers', does: 'lists the customers they may read' },
  SearchCustomers: { resource: 'Customers', does: 'searches among the customers they may read' },
  CreateCustomer: { resource: 'Customers', does: 'makes a customer' },
  ReadCustomer: { resource: 'Customer', does: 'reads profile and notes' },
  EditCustomer: { resource: 'Customer', does: 'changes the profile' },
  AssignCustomer: { resource: 'Customer', does: 'gives the customer to a member of staff' },
  AddNote: { resource: 'Customer', does: 'adds a note' },
  ReadVersions: { resource: 'Customer', does: 'reads former versions of the profile' },
  RollbackCustomer: { resource: 'Customer', does: 'puts the profile back to a former version' },
  LinkAlias: { resource: 'Customer', does: 'gives the customer a number or user id, also from another' },
  UnlinkAlias: { resource: 'Customer', does: 'takes a number or user id from the customer' },
  MergeCustomers: { resource: 'Customer', does: 'merges another customer, who is the same person, into the customer' },
  UnmergeCustomers: { resource: 'Customer', does: 'undoes a merge' },
  BulkRollback: { resource: 'Customers', does: 'plans and makes undone all that one operator changed in some time' },
  ReadConversation: { resource: 'Customer', does: 'reads messages and their statuses' },
  ProveMessage: { resource: 'Customer', does: 'downloads a message with its proof' },
  RecordOutbound: { resource: 'Outbound', does: 'records a message that was sent' },
  QueryAccess: { resource: 'AccessLog', does: 'reads who saw and did what' },
  ReadHold: { resource: 'Customer', does: 'sees whether the customer is under a legal hold' },
  PlaceHold: { resource: 'Customer', does: 'puts the customer under a legal hold' },
  ReleaseHold: { resource: 'Customer', does: 'ends a legal hold' },
  AskErasure: { resource: 'Customer', does: 'asks for an erasure' },
  ConfirmErasure: { resource: 'Customer', does: 'confirms an erasure that another officer asked for' },
  ReadErasure: { resource: 'Customer', does: 'sees how far an erasure is, and its certificate' },
} as const satisfies Record<string, { readonly resource: ResourceType; readonly does: string }>;
export type Action = keyof typeof ACTIONS;

/** The one thing an action is asked for. `ownerId`: the operator a customer is assigned to; absent: nobody. `askedBy`: who asked for the erasure that is to be confirmed. */
export type Resource =
  | { readonly type: 'Customer'; readonly id: string; readonly ownerId?: string; readonly askedBy?: string }
  | { readonly type: Exclude<ResourceType, 'Customer'> };

export interface Decision {
  readonly allowed: boolean;
  /** Ids of the policies that decided; none where nothing allowed it; `error` where nobody could decide, which is a refusal. */
  readonly policies: readonly string[];
}

/** Never throws: what cannot be decided is refused. */
export type Authorize = (actor: Actor, action: Action, resource: Resource) => Decision;
