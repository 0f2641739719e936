// Microsoft's SDK for JavaScript against armsim: what a program does with a scale
// set, from its creation to its end. sdk.mjs MODE [SKIPPED-STEP...] runs it in an
// orchestration mode and prints a line for each step.
import assert from "node:assert/strict";
import { ComputeManagementClient } from "@azure/arm-compute";
import { NetworkManagementClient } from "@azure/arm-network";
import { SubscriptionClient } from "@azure/arm-resources-subscriptions";
import { ClientSecretCredential } from "@azure/identity";

const [mode, ...skipped] = process.argv.slice(2);
const env = process.env;
const group = env.AZURE_RESOURCE_GROUP;
const name = "js";

const credential = new ClientSecretCredential(env.AZURE_TENANT_ID, env.AZURE_CLIENT_ID, env.AZURE_CLIENT_SECRET, {
  authorityHost: env.AZURE_AUTHORITY_HOST,
  disableInstanceDiscovery: true,
});
const scopes = [env.ARMSIM_AUDIENCE + "/.default"];
const options = { endpoint: env.ARMSIM_ENDPOINT, credentials: { scopes }, credentialScopes: scopes };
const compute = new ComputeManagementClient(credential, env.AZURE_SUBSCRIPTION_ID, options);
const network = new NetworkManagementClient(credential, env.AZURE_SUBSCRIPTION_ID, options);
const subscriptions = new SubscriptionClient(credential, options);

const uniform = mode === "Uniform";
const sets = compute.virtualMachineScaleSets;
const vms = compute.virtualMachineScaleSetVMs;
const fast = { updateIntervalInMs: 20 };

async function all(pages) {
  const found = [];
  for await (const one of pages) found.push(one);
  return found;
}

const instanceID = (vm) => (uniform ? vm.instanceId : vm.name);
const listed = async () => (uniform ? all(vms.list(group, name)) : (await all(compute.virtualMachines.list(group))).filter((vm) => vm.virtualMachineScaleSet));
const ids = async () => (await listed()).map(instanceID);
const view = (id) => (uniform ? vms.getInstanceView(group, name, id) : compute.virtualMachines.instanceView(group, id));
const power = async (id) => (await view(id)).statuses.map((s) => s.code.split("/")).find(([kind]) => kind.toLowerCase() === "powerstate")?.[1];

async function until(what, holds) {
  for (const end = Date.now() + 60_000; Date.now() < end; await new Promise((done) => setTimeout(done, 20))) {
    if (await holds()) return;
  }
  assert.fail(what + " did not come about in a minute");
}

const model = {
  location: "westeurope",
  sku: { name: "Standard_D2s_v5", tier: "Standard", capacity: 2 },
  orchestrationMode: mode,
  singlePlacementGroup: uniform,
  platformFaultDomainCount: 1,
  overprovision: uniform ? false : undefined,
  upgradePolicy: uniform ? { mode: "Manual" } : undefined,
  virtualMachineProfile: {
    priority: "Spot",
    evictionPolicy: "Deallocate",
    storageProfile: {
      imageReference: { publisher: "Canonical", offer: "ubuntu-24_04-lts", sku: "server", version: "latest" },
      osDisk: { createOption: "FromImage", managedDisk: { storageAccountType: "Standard_LRS" } },
    },
    osProfile: {
      computerNamePrefix: "js",
      adminUsername: "azureuser",
      linuxConfiguration: {
        disablePasswordAuthentication: true,
        ssh: { publicKeys: [{ path: "/home/azureuser/.ssh/authorized_keys", keyData: env.CLIENTS_SSH_KEY }] },
      },
    },
    networkProfile: {
      networkApiVersion: "2022-11-01",
      networkInterfaceConfigurations: [
        {
          name: "nic",
          primary: true,
          ipConfigurations: [
            {
              name: "ip",
              subnet: { id: `/subscriptions/${env.AZURE_SUBSCRIPTION_ID}/resourceGroups/${group}/providers/Microsoft.Network/virtualNetworks/net/subnets/default` },
            },
          ],
        },
      ],
    },
  },
};

const steps = {
  async login() {
    const found = await all(subscriptions.subscriptions.list());
    assert.deepEqual(found.map((s) => s.subscriptionId), [env.AZURE_SUBSCRIPTION_ID]);
    assert.equal((await all(subscriptions.tenants.list()))[0].tenantId, env.AZURE_TENANT_ID);
    assert((await all(subscriptions.subscriptions.listLocations(env.AZURE_SUBSCRIPTION_ID))).some((l) => l.name === "westeurope"));
  },
  async create() {
    const set = await sets.createOrUpdate(group, name, model, fast);
    assert.equal(set.provisioningState, "Succeeded");
    assert.equal(set.orchestrationMode, mode);
  },
  async list() {
    assert.deepEqual((await all(sets.list(group))).map((s) => s.name), [name]);
    assert.deepEqual((await all(sets.listAll())).map((s) => s.name), [name]);
    assert.deepEqual((await all(sets.listByLocation("westeurope"))).map((s) => s.name), [name]);
    assert.equal((await listed()).length, 2);
    assert.equal((await all(compute.virtualMachines.listAll())).length, uniform ? 0 : 2);
  },
  async show() {
    assert.equal((await sets.get(group, name)).sku.capacity, 2);
    if (uniform) assert((await sets.getInstanceView(group, name)).statuses.length > 0); // Flexible sets have none
  },
  async scale() {
    const set = await sets.update(group, name, { sku: { capacity: 4 } }, fast);
    assert.equal(set.sku.capacity, 4);
    await until("4 instances that run", async () => (await Promise.all((await ids()).map(power))).filter((p) => p === "running").length === 4);
  },
  async "delete-instances"() {
    const [, second] = await ids();
    await sets.deleteInstances(group, name, { instanceIds: [second] }, fast);
    assert(!(await ids()).includes(second));
    assert.equal((await sets.get(group, name)).sku.capacity, 3);
  },
  async deallocate() {
    const [first] = await ids();
    await sets.deallocate(group, name, { vmInstanceIDs: { instanceIds: [first] }, ...fast });
    assert.equal(await power(first), "deallocated");
  },
  async start() {
    const [first] = await ids();
    await sets.start(group, name, { vmInstanceIDs: { instanceIds: [first] }, ...fast });
    await until("the instance runs", async () => (await power(first)) === "running");
  },
  async "nic list"() {
    const nics = uniform
      ? await all(network.networkInterfaces.listVirtualMachineScaleSetNetworkInterfaces(group, name))
      : await all(network.networkInterfaces.list(group));
    assert.equal(nics.length, 3);
    assert.equal((await all(network.networkInterfaces.listAll())).length, uniform ? 0 : 3);
    for (const nic of nics) assert.match(nic.ipConfigurations[0].privateIPAddress, /^\d+\.\d+\.\d+\.\d+$/);
  },
  async "run-command"() {
    const [first] = await ids();
    const command = { commandId: "RunShellScript", script: ["echo from $(hostname)"] };
    const result = uniform
      ? await vms.runCommand(group, name, first, command, fast)
      : await compute.virtualMachines.runCommand(group, first, command, fast);
    assert.match(result.value[0].message, /from /);
  },
  async "simulate-eviction"() {
    const last = (await ids()).at(-1);
    await (uniform ? vms.simulateEviction(group, name, last) : compute.virtualMachines.simulateEviction(group, last));
    await until("the eviction", async () => (await power(last)) === "deallocated");
  },
  async delete() {
    await sets.delete(group, name, fast);
    assert.deepEqual(await all(sets.list(group)), []);
    await assert.rejects(sets.get(group, name), { statusCode: 404, code: "ResourceNotFound" });
  },
};

for (const [step, run] of Object.entries(steps)) {
  if (skipped.includes(step)) {
    console.log("skipped " + step);
    continue;
  }
  try {
    await run();
  } catch (e) {
    console.log(`failed ${step}: ${e.stack ?? e}`);
    process.exit(1);
  }
  console.log("done " + step);
}
