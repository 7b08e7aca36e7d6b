# frozen_string_literal: true

require_relative "helper"
require "open3"
require "rbs"

# Every row of the core's tables has its parameter, its reader and its signature.
class TestSchema < PrivyTest
  SCHEMA = Privy::Core.schema
  RESOURCES = Spelled::RESOURCES
  POSITIONAL = { "contacts.get" => [:id], "contacts.update" => [:id], "contacts.delete" => [:id],
                 "contacts.unsubscribe" => [:id], "events.ingest" => [:event_type] }.freeze
  # What an operation takes that is no parameter of the API.
  OWN = { "contacts.list" => %i[limit prefetch] }.freeze
  COMMON = %i[extra extra_headers timeout connect_timeout max_wait max_retries].freeze
  BULK = { "contacts.upsert" => :upsert_many, "orders.upsert" => :upsert_many, "events.ingest" => :ingest_many }.freeze
  OF_BULK = %i[nulls check_first concurrency on_progress total journal resume on_spent_day until].freeze
  PUBLIC = %w[Client Contacts Orders Events ContactList Page Response Record Contact Order EventReceipt Configuration
              RateLimit RateLimit::Window Result Bulk BulkReport RefusedRow Plan PlanRow PlanRows CallEvent
              Sandbox Sandbox::App
              Sandbox::Server Sandbox::Request Sandbox::Event Sandbox::Contacts Sandbox::Orders
              Sandbox::Events Sandbox::Messages
              Serializable Value Opaque
              Core::Client Core::Group Core::Pager Core::Bulk Core::Plan].freeze
  # Errors of Ruby's own manners: no response of the API causes them.
  OWN_ERRORS = %i[SoleItemExpectedError].freeze
  INTERNAL = %i[Session Pager Observer BulkRows BulkSettings Counted PlanRun PlanSettings Drivers Driver WaitingDriver
                FiberDriver].freeze

  def self.signatures
    @signatures ||= begin
      loader = RBS::EnvironmentLoader.new
      loader.add(path: Pathname(File.join(ROOT, "sig")))
      RBS::DefinitionBuilder.new(env: RBS::Environment.from_loader(loader).resolve_type_names)
    end
  end

  def signatures
    self.class.signatures
  end

  def signature_of(klass)
    namespace = RBS::Namespace.parse("::#{klass.name.split('::')[0..-2].join('::')}")
    signatures.build_instance(RBS::TypeName.new(name: klass.name.split("::").last.to_sym, namespace: namespace))
  end

  def source_of_resources
    %w[resources contacts].map { |name| File.read(File.join(ROOT, "ruby/lib/privy/#{name}.rb")) }.join
  end

  def each_operation
    assert_operator SCHEMA[:operations].length, :>=, 9
    SCHEMA[:operations].each do |operation|
      resource, name = operation[:name].split(".")
      yield operation, RESOURCES.fetch(resource), name.to_sym
    end
  end

  def test_the_run_stops_at_the_first_method_that_differs
    assert_nil Spelled.first_difference
    assert_equal "lacks b", Spelled.difference(%i[a b], %i[a])
    assert_equal "has b, which the table lacks", Spelled.difference(%i[a], %i[a b])
    operation = { name: "contacts.get", params: [{ name: :id }, { name: :by }] }
    assert_includes Spelled.first_difference([operation]), "contacts.get: its signature lacks by."
  end

  def test_every_parameter_in_the_order_of_the_table
    each_operation do |operation, resource, name|
      positional = POSITIONAL.fetch(operation[:name], [])
      params = operation[:params].map { |param| param[:name] }
      named = params - positional + OWN.fetch(operation[:name], []) + COMMON
      expected = positional.map { |param| [:req, param] } + named.map { |param| [:key, param] }
      assert_equal expected, resource.instance_method(name).parameters, operation[:name]
    end
  end

  def test_every_parameter_in_the_signatures
    each_operation do |operation, resource, name|
      type = signature_of(resource).methods.fetch(name).method_types.first.type
      positional = POSITIONAL.fetch(operation[:name], [])
      assert_equal positional, type.required_positionals.map(&:name), operation[:name]
      params = operation[:params].map { |param| param[:name] } - positional
      assert_equal params + OWN.fetch(operation[:name], []) + COMMON, type.optional_keywords.keys, operation[:name]
    end
  end

  def test_every_operation_is_documented
    source = source_of_resources
    each_operation do |operation, _resource, name|
      documented = source.scan(/((?:^ *#.*\n)+) *def #{name}\(/).map(&:first)
      params = operation[:params].map { |param| "@param #{param[:name]} " }
      assert(documented.any? { |text| params.all? { |param| text.include?(param) } }, operation[:name])
      assert(documented.all? { |text| text.include?("@return") && text.include?("scope") }, operation[:name])
    end
  end

  def test_every_parameter_reaches_the_core
    warned = Warning[:deprecated]
    Warning[:deprecated] = false
    stubbed do |client, _server|
      each_operation do |operation, resource, name|
        positional = POSITIONAL.fetch(operation[:name], [])
        keywords = operation[:params].map { |param| param[:name] } - positional
        wrong = keywords.to_h { |keyword| [keyword, Object.new] }
        found = fields do
          result = resource.new(session_of(client)).public_send(name, *positional.map { Object.new }, **wrong)
          result.first if operation[:paged]
        end
        assert_equal operation[:params].map { |param|
                       param[:name].to_s
                     }.sort, found.uniq.sort - ["base"], operation[:name]
      end
    end
  ensure
    Warning[:deprecated] = warned
  end

  def each_bulk_operation
    found = 0
    each_operation do |operation, resource, _name|
      next unless BULK.key?(operation[:name])

      found += 1
      yield operation, resource, BULK[operation[:name]]
    end
    assert_equal BULK.length, found
  end

  def test_bulk_methods_take_what_their_operation_takes
    each_bulk_operation do |operation, resource, name|
      expected = [%i[req rows]] + (OF_BULK + COMMON).map { |param| [:key, param] } + [%i[block block]]
      assert_equal expected, resource.instance_method(name).parameters, operation[:name]
      types = signature_of(resource).methods.fetch(name).method_types
      assert_equal [false, true], types.map { |type| !type.block.nil? }
      types.each { |type| assert_equal OF_BULK + COMMON, type.type.optional_keywords.keys, operation[:name] }
    end
  end

  def test_every_parameter_of_a_row_reaches_the_core
    stubbed do |client, server|
      each_bulk_operation do |operation, resource, name|
        params = operation[:params].map { |param| param[:name] }
        rows = [params.to_h { |param| [param, Object.new] }, params.to_h { |param| [param.to_s, Object.new] }]
        resource.new(session_of(client)).public_send(name, rows) do |result|
          fields = result.error.details.map { |fault| fault[:field] }
          assert_equal params.map(&:to_s).sort, fields.uniq.sort - ["base"], operation[:name]
        end
      end
      assert_empty server.requests
    end
  end

  def test_every_bulk_method_is_documented
    source = source_of_resources
    BULK.each_value do |name|
      texts = source.scan(/((?:^ *#.*\n)+) *def #{name}\(/).map(&:first)
      (%i[rows] + OF_BULK + COMMON).each { |param| assert(texts.all? { |text| text.include?("@param #{param} ") }) }
    end
  end

  def test_every_field_has_a_reader_and_a_signature
    assert_equal %i[Contact Order EventReceipt Pagination], SCHEMA[:objects].map { |object| object[:name] }
    SCHEMA[:objects].each do |object|
      klass = Privy.const_get(object[:name])
      names = object[:fields].map { |field| field[:name] }
      assert_equal names, klass::MEMBERS
      questions, readers = klass.instance_methods(false).partition { |name| name.end_with?("?") }
      assert_equal names.sort, readers.sort
      assert_empty names + questions - signature_of(klass).methods.keys
    end
  end

  def test_pages_show_every_field_of_the_pagination
    fields = Privy::Pagination::MEMBERS
    assert_empty fields - Privy::Page.instance_methods
    assert_empty fields - signature_of(Privy::Page).methods.keys
  end

  def test_every_error_is_a_class_with_a_signature
    names = SCHEMA[:errors].drop(1).map { |row| row[:name] } + OWN_ERRORS
    names.each do |name|
      klass = Privy.const_get(name)
      assert_operator klass, :<, Privy::Error
      assert_empty klass::ATTRIBUTES - signature_of(klass).methods.keys, name
    end
    assert_equal names.length + 1, ObjectSpace.each_object(Privy::Error.singleton_class).count
  end

  def test_everything_public_has_a_signature
    (PUBLIC + INTERNAL + SCHEMA[:errors].drop(1).map { |row| row[:name] })
      .map { |name| name.to_s.split("::").reduce(Privy) { |space, part| space.const_get(part) } }
      .each do |klass|
      assert_empty klass.public_instance_methods(false) - signature_of(klass).methods.keys, klass.name
    end
  end

  def test_internal_classes_are_private_constants
    assert_empty INTERNAL & Privy.constants
    assert_empty INTERNAL.reject { |name| Privy.const_defined?(name) }
  end

  def test_a_client_has_only_documented_methods
    expected = %i[base_url close closed? contacts events inspect orders rate_limit request to_s with_options]
    assert_equal expected, Privy::Client.public_instance_methods(false).sort
  end

  def test_the_signatures_are_valid
    out, status = Open3.capture2e(RbConfig.ruby, Gem.bin_path("rbs", "rbs"), "-I", File.join(ROOT, "sig"),
                                  "validate", "--silent")
    assert_predicate status, :success?, out
  end

  def test_the_schema_lists_the_values_of_each_enum
    assert_includes SCHEMA[:enums].fetch(:sms_consent), "pending"
    assert_equal :sms_consent, SCHEMA[:objects][0][:fields].find { |field| field[:name] == :sms_consent }[:choices]
  end

  def test_required_parameters_are_reported_when_missing
    order = SCHEMA[:operations].find { |operation| operation[:name] == "orders.upsert" }
    required = order[:params].select { |param| param[:required] }.map { |param| param[:name] }
    stubbed { |client, _| assert_empty required.map(&:to_s) - fields { client.orders.upsert(email: JANE) } }
    refute_empty required
  end

  def test_the_versions_agree
    assert_equal Privy::VERSION, Privy::Core::VERSION
  end
end
