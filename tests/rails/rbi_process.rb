# frozen_string_literal: true

# Runs a file of Sorbet's types without Sorbet: every method and every signature in it is evaluated. Prints the
# parameters of each method, and what does not fit.
require "active_job"
require "bigdecimal"
require "json"

# Sorbet's words. Each returns a type that names the classes in it.
module T
  # A type with arguments.
  class With
    def [](*inner) = T.check(inner)
  end

  Boolean = Object
  Array = Hash = Enumerable = Enumerator = Range = Set = Class = With.new

  # The steps of a signature.
  class Signature
    attr_reader :named

    def params(**types)
      T.check(types.values)
      @named = types.keys
      self
    end

    def returns(type)
      T.check([type])
      self
    end

    def type_parameters(*) = self
    def void = self
  end

  class << self
    def let(_value, type) = check([type])
    def unsafe(value) = value
    def nilable(type) = check([type])
    def any(*types) = types.length > 1 ? check(types) : raise("T.any of #{types}")
    def class_of(type) = check([type])
    def type_parameter(_name) = Object
    def untyped = Object
    def anything = Object
    def noreturn = Object
    def self_type = Object
    def attached_class = Object
    def proc = Signature.new

    def check(types)
      odd = types.flatten.reject { |type| type.is_a?(::Module) || type.is_a?(Signature) }
      raise "not types: #{odd}" unless odd.empty?

      types
    end
  end

  # The module that generic classes extend.
  module Generic; end
end

# Checks each method against the signature before it.
module Checked
  FOUND = {} # rubocop:disable Style/MutableConstant -- filled below

  def sig(&block)
    raise "two signatures in #{self}" if @pending

    @pending = block
  end

  def type_member(*) = yield.fetch(:fixed)

  def method_added(name)
    note("#{self}##{name}", instance_method(name))
    super
  end

  def singleton_method_added(name)
    note("#{self}.#{name}", method(name)) unless %i[sig singleton_method_added].include?(name)
    super
  end

  # The constants of a signature may come later in the file.
  def note(path, method)
    block = @pending
    @pending = nil
    FOUND[path] = [method.parameters, block]
  end
end

Module.prepend(Checked)
load ARGV.fetch(0)
methods = Checked::FOUND.select { |path, _| path.start_with?("Privy") }
parameters = methods.to_h do |path, (list, block)|
  raise "no signature of #{path}" unless block

  signature = T::Signature.new.instance_eval(&block)
  names = list.map(&:last)
  raise "#{path} has #{names}, its signature #{signature.named}" unless names == (signature.named || [])

  [path, list]
end
puts JSON.generate(parameters)
